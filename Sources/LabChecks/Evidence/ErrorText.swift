import CNetlink

/// The kernel's words for an errno.
func errorText(_ code: Int32) -> String {
  unsafe cnl_error_text(code).map { unsafe String(cString: $0) } ?? "error \(code)"
}
