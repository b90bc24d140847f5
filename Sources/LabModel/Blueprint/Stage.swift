/// A moment in a plan. Each kind of resource has its own stages, and says after which others they come: what it needs.
package struct Stage: Sendable {
  /// How many stages have to come before it, one after the other.
  let depth: Int

  /// - Parameter needs: the stages whose steps have to be taken before.
  init(after needs: Stage...) {
    depth = needs.reduce(0) { max($0, $1.depth + 1) }
  }
}
