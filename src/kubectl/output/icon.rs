//! Icons of service accounts: a glyph where the screen can show one, and always the word.

use crate::api::service_account::Icon;
use crate::kubectl::output::screen::Terminal;

/// The icon as the terminal can show it.
pub fn icon(icon: Icon, terminal: Terminal) -> String {
    let word = format!("{icon:?}");
    if terminal.glyphs { format!("{} {word}", glyph(icon)) } else { word }
}

/// Glyphs that terminals give two places everywhere, so that columns stay straight.
fn glyph(icon: Icon) -> char {
    match icon {
        Icon::Bot => '🤖',
        Icon::Build => '🔨',
        Icon::Calendar => '📅',
        Icon::Chart => '📊',
        Icon::Cloud => '⛅',
        Icon::Database => '💾',
        Icon::Gear => '🔧',
        Icon::Key => '🔑',
        Icon::Mail => '📧',
        Icon::Rocket => '🚀',
        Icon::Shield => '🔒',
        Icon::Terminal => '💻',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthChar as _;

    #[test]
    fn an_icon_is_a_glyph_and_a_word_or_the_word_alone() {
        assert_eq!(icon(Icon::Rocket, Terminal { glyphs: true }), "🚀 Rocket");
        assert_eq!(icon(Icon::Rocket, Terminal { glyphs: false }), "Rocket");
    }

    #[test]
    fn every_glyph_takes_two_places() {
        for icon in [
            Icon::Bot,
            Icon::Build,
            Icon::Calendar,
            Icon::Chart,
            Icon::Cloud,
            Icon::Database,
            Icon::Gear,
            Icon::Key,
            Icon::Mail,
            Icon::Rocket,
            Icon::Shield,
            Icon::Terminal,
        ] {
            assert_eq!(glyph(icon).width(), Some(2), "{icon:?}");
        }
    }
}
