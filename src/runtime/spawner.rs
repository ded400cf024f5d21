//! Starts tasks. A process makes one [`Spawner`] at its top and hands it down to whatever serves connections,
//! so that what is still under way at the end can be told.

use hyper::rt::Executor;
use tokio_util::task::TaskTracker;

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
}
