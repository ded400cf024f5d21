//! Tasks of their own: what shares a task is polled together, so one that computes for long keeps the others
//! waiting.

use std::panic::resume_unwind;

use tokio_util::task::AbortOnDropHandle;

/// Runs `work` in a task of its own. The task ends with the future that waits for it, and a panic in it goes
/// on there.
pub async fn apart<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    match AbortOnDropHandle::new(tokio::spawn(work)).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            // Nobody aborts it but the runtime, whose end ends this too.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_gives_what_its_work_gives_and_its_panic_is_not_lost() {
        assert_eq!(apart(async { 7 }).await, 7);
        let panics = tokio::spawn(apart(async { panic!("no") }));
        assert!(panics.await.unwrap_err().is_panic());
    }

    #[tokio::test]
    async fn a_task_ends_with_who_waits_for_it() {
        let (held, mut freed) = tokio::sync::mpsc::channel::<()>(1);
        let work = async move {
            let _held = held;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = apart(work) => {}
            () = tokio::task::yield_now() => {}
        }
        assert_eq!(freed.recv().await, None);
    }
}
