//! Keeps what this process has in its memory from others on the same machine.

/// Lets no other process of the same user read this one's memory or environment, attach to it, or have its
/// memory written to disk when it crashes: `PR_SET_DUMPABLE` of prctl(2). Elsewhere than on Linux it does
/// nothing.
///
/// # Errors
/// When the kernel refuses.
pub fn forbid_dumps() -> std::io::Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}
