/// Thrown by a check that says nothing about this lab.
struct Skip: Error {
  var reason: String
}
