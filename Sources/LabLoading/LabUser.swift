import Glibc
import LabKit
import LabMachine
import LabModel
import LabProcesses

/// The user as whom a lab is compiled and run: never root, unless told.
struct LabUser {
  /// What has to change for a process of this user.
  enum Change {
    /// Nothing: this process is its own, or root was asked for.
    case none
    /// Give up root for the user that called sudo, whose files are used.
    case invoker(id: UInt32, group: UInt32)
    /// Give up root for a user that owns nothing, and has a temporary directory.
    case nobody(id: UInt32, group: UInt32)
  }

  let change: Change
  let home: String
  /// Where compiled labs are kept.
  let cache: String
  /// Whether the lab's processes are closed in.
  var isClosedIn = true

  /// Finds out from the effective user and what sudo says.
  static func current(runAsRoot: Bool, environment: [String: String]) throws(LoadingError) -> Self {
    let chosenCache = environment["XDG_CACHE_HOME"].map { "\($0)/netlab" }
    guard geteuid() == 0, !runAsRoot, Invoker.hasUser(nobody) else {
      let home = environment["HOME"] ?? "/"
      return Self(
        change: .none, home: home, cache: chosenCache ?? "\(home)/.cache/netlab", isClosedIn: !runAsRoot)
    }
    guard let id = environment["SUDO_UID"].flatMap(UInt32.init), id != 0 else {
      return Self(
        change: .nobody(id: nobody, group: nobody), home: "/", cache: chosenCache ?? "/var/cache/netlab")
    }
    guard let group = environment["SUDO_GID"].flatMap(UInt32.init), let home = homeDirectory(of: id) else {
      throw .environment(
        attempt: "run the lab as the user that called sudo", reason: "there is no user with the id \(id)",
        remedy: "Unset SUDO_UID to run it as nobody.")
    }
    return Self(
      change: .invoker(id: id, group: group), home: home, cache: chosenCache ?? "\(home)/.cache/netlab")
  }

  /// The ids that processes of the lab take; `nil` when they keep this process's.
  var identifiers: (id: UInt32, group: UInt32)? {
    switch change {
    case .none: nil
    case .invoker(let id, let group), .nobody(let id, let group): (id, group)
    }
  }

  /// Who owns the cache.
  var cacheOwner: UInt32 { if case .invoker(let id, _) = change { id } else { geteuid() } }

  /// Where the lab's processes take place; `nil` for those that root trusts.
  func workshop(showing folders: [String]) -> Workshop? {
    guard isClosedIn else { return nil }
    var workshop = Workshop(hiding: cache)
    workshop.shown = folders
    return workshop
  }

  /// Fails where this process has no right to become the lab's user: root in a container may lack it.
  func checkRights() throws(LoadingError) {
    guard let identifiers else { return }
    guard Invoker(id: identifiers.id, group: identifiers.group).canBeTakenOn else {
      throw .noOtherUser(id: identifiers.id)
    }
  }

  /// Whether the lab's processes may use none of this process's files.
  var isNobody: Bool {
    if case .nobody = change { true } else { false }
  }

  /// Accesses the lab's source and the cache: under sudo with the rights of the invoking user, so that root
  /// is not led astray by links of theirs.
  func accessingFiles<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
    try isNobody ? body() : accessingOwnFiles(body)
  }

  /// Accesses files with the rights that the lab's processes have, which ``checkRights()`` made sure of.
  func accessingOwnFiles<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value
  {
    guard let identifiers else { return try body() }
    return try Invoker(id: identifiers.id, group: identifiers.group).accessingFiles(body)
  }
}

private let nobody: UInt32 = 65534

private func homeDirectory(of user: UInt32) -> String? {
  guard let entry = unsafe getpwuid(user), let home = unsafe entry.pointee.pw_dir else { return nil }
  return unsafe String(cString: home)
}
