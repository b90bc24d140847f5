/// The candidate most like a mistyped name, if one is near enough to be meant.
package func nearest(to name: String, in candidates: some Sequence<String>) -> String? {
  let limit = (name.count + 1) / 3
  var best: (name: String, distance: Int)?
  for candidate in candidates {
    let distance = editDistance(name, candidate, limit: limit)
    if distance <= limit, distance < best?.distance ?? .max { best = (candidate, distance) }
  }
  return best?.name
}

/// `Did you mean 'web'?` for a mistyped name, if there is one to mean.
package func didYouMean(_ name: String, among candidates: some Sequence<String>) -> String? {
  nearest(to: name, in: candidates).map { "Did you mean '\($0)'?" }
}

/// How many letters have to be inserted, removed, replaced or exchanged with the next one (Damerau and Levenshtein);
/// anything above `limit` is `limit + 1`.
private func editDistance(_ first: String, _ second: String, limit: Int) -> Int {
  let first = Array(first.lowercased())
  let second = Array(second.lowercased())
  guard abs(first.count - second.count) <= limit else { return limit + 1 }
  // Three rows of the table, which take turns.
  var (above, row, next) = (Array(0...second.count), Array(0...second.count), Array(0...second.count))
  var leastAbove = 0
  for (i, letter) in first.enumerated() {
    next[0] = i + 1
    var least = i + 1
    for j in second.indices {
      var distance = min(row[j] + (letter == second[j] ? 0 : 1), row[j + 1] + 1, next[j] + 1)
      if i > 0, j > 0, letter == second[j - 1], second[j] == first[i - 1] {
        distance = min(distance, above[j - 1] + 1)
      }
      next[j + 1] = distance
      least = min(least, distance)
    }
    // Each row comes from the two above it.
    if min(least, leastAbove) > limit { return limit + 1 }
    leastAbove = least
    swap(&above, &row)
    swap(&row, &next)
  }
  return min(row[second.count], limit + 1)
}
