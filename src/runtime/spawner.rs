//! Starts tasks. A process makes one [`Spawner`] at its top and hands it down to whatever serves connections,
//! so that what is still under way at the end can be told.

use std::panic::resume_unwind;

use hyper::rt::Executor;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// Starts tasks, and counts those that have not ended.
#[derive(Debug, Clone, Default)]
pub struct Spawner(TaskTracker);

impl Spawner {
    /// Starts a task on the runtime that this is called in.
    pub fn spawn<F>(&self, task: F)
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        self.0.spawn(task);
    }

    /// Runs `work` in a task of its own: what shares a task is polled together, so one that computes for long
    /// keeps the others waiting. The task ends with the future that waits for it, and a panic in it goes on
    /// there.
    pub async fn apart<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        match AbortOnDropHandle::new(self.0.spawn(work)).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => resume_unwind(panic),
                // Nobody aborts it but the runtime, whose end ends this too.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// How many tasks have not ended.
    pub fn running(&self) -> usize {
        self.0.len()
    }
}

/// For hyper, which starts one task for each request on a connection of HTTP/2.
impl<F> Executor<F> for Spawner
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.spawn(task);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_task_counts_until_it_has_ended() {
        let spawner = Spawner::default();
        let (end, ended) = oneshot::channel::<()>();
        spawner.clone().spawn(ended);
        assert_eq!(spawner.running(), 1);
        end.send(()).unwrap();
        spawner.0.close();
        tokio::time::timeout(Duration::from_secs(10), spawner.0.wait()).await.unwrap();
        assert_eq!(spawner.running(), 0);
    }

    #[tokio::test]
    async fn a_task_gives_what_its_work_gives_and_its_panic_is_not_lost() {
        assert_eq!(Spawner::default().apart(async { 7 }).await, 7);
        let panics = tokio::spawn(async { Spawner::default().apart(async { panic!("no") }).await });
        assert!(panics.await.unwrap_err().is_panic());
    }

    #[tokio::test]
    async fn a_task_ends_with_who_waits_for_it() {
        let (held, mut freed) = tokio::sync::mpsc::channel::<()>(1);
        let work = async move {
            let _held = held;
            std::future::pending::<()>().await;
        };
        let spawner = Spawner::default();
        tokio::select! {
            () = spawner.apart(work) => {}
            () = tokio::task::yield_now() => {}
        }
        assert_eq!(freed.recv().await, None);
    }
}
