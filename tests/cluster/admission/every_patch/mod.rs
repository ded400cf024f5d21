//! Whoever asks for whatever: the API server allows it exactly where the table of rights does.

mod table;
mod team;

use futures::{StreamExt as _, stream};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use table::{Right, User, Verb, rights};
use team::{Request, Team};

/// How many requests are made at once.
const AT_ONCE: usize = 8;

fn gathered() -> (Runtime, Team, Vec<Right>) {
    let runtime = Runtime::new().unwrap();
    let team = runtime.block_on(Team::gather());
    let rights = rights(|object| team.object(object).clone());
    (runtime, team, rights)
}

/// How many random patches are tried: a share of what `make policies` does.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(150)
}

/// What an answer has against the table. `is_valid`: the schema has nothing against the patch.
fn fault(
    team: &Team,
    request: &Request,
    allowed: bool,
    answer: &kube::Result<Value>,
) -> Option<&'static str> {
    match answer {
        Ok(_) if !allowed => Some("allowed, against the table"),
        Ok(after) => (!changes_its_part(team, request, after)).then_some("changes more than its part"),
        Err(kube::Error::Api(status)) if status.code == 403 => {
            allowed.then_some("refused, against the table")
        }
        // By the schema: no policy was asked.
        Err(kube::Error::Api(status)) if status.code == 422 => None,
        Err(_) => Some("neither allowed nor refused"),
    }
}

/// Whether a change leaves the status alone, and a change of the status leaves all else alone.
fn changes_its_part(team: &Team, request: &Request, after: &Value) -> bool {
    let before = team.object(request.object);
    let metadata = |object: &Value| {
        ["labels", "annotations", "finalizers", "ownerReferences"]
            .map(|field| object["metadata"][field].clone())
    };
    match request.verb {
        // As the schema has it begin.
        Verb::Create => after["status"] == json!({"observedGeneration": -1}),
        Verb::Change => after["status"] == before["status"],
        Verb::ChangeStatus => after["spec"] == before["spec"] && metadata(after) == metadata(before),
        Verb::Delete | Verb::DeleteAll => true,
    }
}

fn report(request: &Request, fault: &str, answer: &kube::Result<Value>) -> String {
    let Request { user, verb, object, is_whole, patch } = request;
    let how = if *is_whole { "as a whole object" } else { "as a patch" };
    let said = match answer {
        Ok(after) => after.to_string(),
        Err(error) => format!("{error:?}"),
    };
    format!("{fault}: {user:?} asks to {verb:?} {object:?} {how}, with {patch}\nthe API server: {said}")
}

/// Whether what matters of an object differs.
fn differs(before: &Value, after: &Value) -> bool {
    let matters = |object: &Value| {
        let metadata = &object["metadata"];
        let metadata = ["labels", "finalizers", "ownerReferences"].map(|field| metadata[field].clone());
        (object["spec"].clone(), object["status"].clone(), metadata)
    };
    matters(before) != matters(after)
}

#[test]
fn every_user_may_do_what_the_table_of_rights_says_and_nothing_else() {
    let (runtime, team, rights) = gathered();
    let requests = User::ALL.into_iter().flat_map(|user| rights.iter().map(move |right| (user, right)));
    let judge = async |(user, right): (User, &Right)| {
        let Right { object, verb, ref patch, users } = *right;
        let request = Request { user, verb, object, is_whole: false, patch: patch.clone() };
        let answer = team.ask(&request).await;
        let allowed = users.contains(&user);
        let changes = match (&answer, verb) {
            (Ok(after), Verb::Change | Verb::ChangeStatus) => differs(team.object(object), after),
            (Ok(_), _) => true,
            (Err(_), _) => !allowed,
        };
        let fault = fault(&team, &request, allowed, &answer);
        let fault = fault.or((!changes).then_some("nothing would change"));
        fault.map(|fault| report(&request, fault, &answer))
    };
    let judged = stream::iter(requests).map(judge).buffer_unordered(AT_ONCE);
    let faults: Vec<String> = runtime.block_on(judged.filter_map(async |fault| fault).collect());
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// What is drawn: a user, a right, more changes of the same object, one of its other part, and the way.
type Drawn = (User, Index, Vec<Index>, Option<Index>, bool);

fn drawn() -> impl Strategy<Value = Drawn> {
    let user = select(User::ALL.as_slice());
    (user, any::<Index>(), vec(any::<Index>(), 0..3), any::<Option<Index>>(), any::<bool>())
}

/// The request, and whether all that it changes is the user's to change.
fn request(rights: &[Right], (user, first, more, beside, is_whole): &Drawn) -> (Request, bool) {
    let first = first.get(rights);
    let Right { object, verb, .. } = *first;
    let of = |verb: Verb| -> Vec<&Right> {
        rights.iter().filter(|right| right.object == object && right.verb == verb).collect()
    };
    let mut changes = vec![first];
    for index in more {
        let another = *index.get(&of(verb));
        if changes.iter().all(|right| field(&right.patch) != field(&another.patch)) {
            changes.push(another);
        }
    }
    // A part that this way does not reach.
    let other = match verb {
        Verb::Change | Verb::Create => of(Verb::ChangeStatus),
        Verb::ChangeStatus => of(Verb::Change),
        Verb::Delete | Verb::DeleteAll => Vec::new(),
    };
    let beside = beside.filter(|_| !other.is_empty()).map(|index| *index.get(&other));
    let patch = together(changes.iter().copied().chain(beside).map(|right| &right.patch));
    // Neither program has the verb `update` on a status.
    let has_verb =
        !(verb == Verb::ChangeStatus && *is_whole && matches!(user, User::Verifier | User::Controller));
    let allowed = has_verb && changes.iter().all(|right| right.users.contains(user));
    (Request { user: *user, verb, object, is_whole: *is_whole, patch }, allowed)
}

/// One patch of several. What a patch takes away is null in it, and stays so.
fn together<'a>(patches: impl Iterator<Item = &'a Value>) -> Value {
    let mut all = json!({});
    for (part, fields) in patches.flat_map(|patch| patch.as_object().unwrap()) {
        let entry = all.as_object_mut().unwrap().entry(part).or_insert_with(|| json!({}));
        entry.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    }
    all
}

/// Where a patch begins to change something.
fn field(patch: &Value) -> Option<(&String, Option<&String>)> {
    let (part, fields) = patch.as_object()?.iter().next()?;
    Some((part, fields.as_object().and_then(|fields| fields.keys().next())))
}

#[test]
fn a_patch_of_many_changes_is_allowed_where_each_of_them_is() {
    let (runtime, team, rights) = gathered();
    let config = Config { cases: cases(), failure_persistence: None, ..Config::default() };
    let tried = TestRunner::new(config).run(&drawn(), |drawn| {
        let (request, allowed) = request(&rights, &drawn);
        let answer = runtime.block_on(team.ask(&request));
        match fault(&team, &request, allowed, &answer) {
            Some(fault) => Err(TestCaseError::fail(report(&request, fault, &answer))),
            None => Ok(()),
        }
    });
    if let Err(found) = tried {
        panic!("{found}");
    }
}
