//! What Go builds.

/// A program as Go builds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// The Go package.
    pub(crate) package: &'static str,
    /// What `go build` calls the file: the package's last element that is no major version.
    pub(crate) built_name: &'static str,
    /// What the file is called in the cache.
    pub(crate) file_name: &'static str,
}
