import CNetlink
import Glibc

/// The user who called sudo, for whom root works on files.
package struct Invoker: Sendable {
  package let id: UInt32
  package let group: UInt32

  package init(id: UInt32, group: UInt32) {
    self.id = id
    self.group = group
  }

  /// The one that sudo names; `nil` where this process is not root, or where there is no such user.
  package static var current: Invoker? {
    guard geteuid() == 0, let id = environmentVariable("SUDO_UID").flatMap(UInt32.init), id != 0,
      let group = environmentVariable("SUDO_GID").flatMap(UInt32.init), hasUser(id)
    else { return nil }
    return Invoker(id: id, group: group)
  }

  /// Whether this process may act as the user: root in a container may have no right to.
  package var canBeTakenOn: Bool {
    let isAllowed = cnl_set_file_access_user(id, group) == 0
    return cnl_set_file_access_user(0, 0) == 0 && isAllowed
  }

  /// Accesses files with the user's rights, so that root is not led astray by links of theirs.
  ///
  /// - Precondition: ``canBeTakenOn``.
  package func accessingFiles<Value, Failure: Error>(
    _ body: () throws(Failure) -> Value
  ) throws(Failure) -> Value {
    precondition(cnl_set_file_access_user(id, group) == 0, "the kernel refused to access files as user \(id)")
    defer {
      precondition(cnl_set_file_access_user(0, 0) == 0, "the kernel refused to access files as root again")
    }
    return try body()
  }

  /// Whether this user namespace has a user: an ordinary user's own namespace has no other one to change to.
  package static func hasUser(_ user: UInt32) -> Bool {
    guard let map = try? Files.read("/proc/self/uid_map") else { return true }
    return String(decoding: map, as: UTF8.self).split(separator: "\n").contains { line in
      let numbers = line.split(separator: " ").compactMap { UInt64($0) }
      return numbers.count == 3 && UInt64(user) >= numbers[0] && UInt64(user) < numbers[0] + numbers[2]
    }
  }
}
