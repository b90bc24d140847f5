/// What can stand in a lab's checks: a check, or several.
public protocol Checks {
  /// The checks as a list, which the builder makes; a lab does not call it.
  var checkGroup: CheckGroup { get }
}

/// Several checks together.
public struct CheckGroup: Checks {
  package let checkList: [Check]

  public var checkGroup: CheckGroup { self }
}

/// Collects checks in the order they are written.
@resultBuilder
public enum ChecksBuilder {
  public static func buildExpression(_ check: some Checks) -> CheckGroup {
    check.checkGroup
  }
  public static func buildExpression(_ checks: [some Checks]) -> CheckGroup {
    CheckGroup(checkList: checks.flatMap(\.checkGroup.checkList))
  }
  @available(
    *, unavailable, message: "hosts, VMs and ports stand in `var topology: some Topology`, not in the checks"
  )
  public static func buildExpression(_ element: some Topology) -> CheckGroup {
    CheckGroup(checkList: [])
  }
  public static func buildBlock(_ parts: CheckGroup...) -> CheckGroup { buildArray(parts) }
  public static func buildOptional(_ part: CheckGroup?) -> CheckGroup { part ?? CheckGroup(checkList: []) }
  public static func buildEither(first part: CheckGroup) -> CheckGroup { part }
  public static func buildEither(second part: CheckGroup) -> CheckGroup { part }
  public static func buildArray(_ parts: [CheckGroup]) -> CheckGroup {
    CheckGroup(checkList: parts.flatMap(\.checkList))
  }
}

extension CheckGroup {
  /// A group of one check.
  init(_ check: some CheckValue) { self.init(checkList: [Check(check)]) }
}
