//! The whole request path.

use std::sync::Arc;

use coordinator::monitor::Monitor;
use coordinator::{Coordinator, Request, Response};
use pool::Pool;
use store::Store;

use super::{Boxed, Opening, Target};

struct PathTarget(Coordinator);

pub(super) async fn open(opening: Opening) -> Result<Box<dyn Target>, String> {
    let coordinator = Coordinator::open(opening.config, opening.deps, &opening.dir).await.map_err(|e| e.to_string())?;
    Ok(Box::new(PathTarget(coordinator)))
}

impl Target for PathTarget {
    fn call(&self, call: Request) -> Boxed<Response> {
        let coordinator = self.0.clone();
        Box::pin(async move { coordinator.call(call).await })
    }

    fn is_right(&self, payload: &[u8], plain: &[u8]) -> bool {
        let document: Option<serde_json::Value> = serde_json::from_slice(plain).ok();
        document.and_then(|d| Some(d.get("result")?.as_str()?.as_bytes() == payload)).unwrap_or(false)
    }

    fn pool(&self) -> Option<&Pool> {
        Some(self.0.pool())
    }

    fn monitor(&self) -> Option<Arc<Monitor>> {
        Some(self.0.monitor())
    }

    fn store(&self) -> Option<&Store> {
        self.0.store()
    }

    fn close(&self) -> Boxed<Result<(), String>> {
        let coordinator = self.0.clone();
        Box::pin(async move { coordinator.close().await.map(drop).map_err(|e| e.to_string()) })
    }
}
