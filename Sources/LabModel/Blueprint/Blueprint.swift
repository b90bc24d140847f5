/// What a lab is made of in the kernel: as it should be (a blueprint), or as it was found (an observation).
///
/// Both are one type, so that coming up, going down and finding drift are one operation: the difference between two of them.
package struct Blueprint: Sendable {
  /// One list for each of the ``kinds``, in their order.
  private var lists: [any ResourceList]

  package init() {
    func empty<Kind: Resource>(_: Kind.Type) -> any ResourceList { List<Kind>() }
    lists = Self.kinds.map { empty($0) }
  }

  /// All resources of a kind. Take the array out of a loop: looking it up costs more than an element.
  package subscript<Kind: Resource>(_: Kind.Type) -> [Kind] {
    get { list(at: Self.position(of: Kind.self)) }
    _modify {
      let position = Self.position(of: Kind.self)
      var values: [Kind] = list(at: position)
      // So that there is no second reference, and changing the array in place copies nothing.
      lists[position] = List<Kind>()
      defer { lists[position] = List(values: values) }
      yield &values
    }
  }

  package var count: Int { lists.reduce(0) { $0 + $1.count } }
  package var isEmpty: Bool { count == 0 }

  /// What the kernel must be able to do for this blueprint.
  package var features: Set<KernelFeature> { lists.reduce(into: [.namespaces]) { $1.addFeatures(to: &$0) } }

  private func list<Kind: Resource>(at position: Int) -> [Kind] {
    guard let list = lists[position] as? List<Kind> else { preconditionFailure("a list of another kind") }
    return list.values
  }

  private static func position<Kind: Resource>(of kind: Kind.Type) -> Int {
    guard let position = identifiers.firstIndex(of: ObjectIdentifier(kind)) else {
      preconditionFailure("\(kind) is not among the kinds of resources")
    }
    return position
  }
}

extension Blueprint: Hashable {
  package static func == (first: Blueprint, second: Blueprint) -> Bool {
    zip(first.lists, second.lists).allSatisfy { $0.isEqual(to: $1) }
  }

  package func hash(into hasher: inout Hasher) { for list in lists { list.hash(into: &hasher) } }
}

/// The resources of one kind, whichever it is.
private protocol ResourceList: Hashable, Sendable {
  var count: Int { get }
  func addFeatures(to features: inout Set<KernelFeature>)
}

extension ResourceList {
  fileprivate func isEqual(to other: any ResourceList) -> Bool { other as? Self == self }
}

private struct List<Kind: Resource>: ResourceList {
  var values: [Kind] = []

  var count: Int { values.count }
  func addFeatures(to features: inout Set<KernelFeature>) {
    for value in values { features.formUnion(value.features) }
  }
}
