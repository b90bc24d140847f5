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

/// How many letters have to be inserted, removed or replaced (Levenshtein); anything above `limit` is `limit + 1`.
private func editDistance(_ first: String, _ second: String, limit: Int) -> Int {
  let first = Array(first.lowercased())
  let second = Array(second.lowercased())
  guard abs(first.count - second.count) <= limit else { return limit + 1 }
  var row = Array(0...second.count)
  for (i, letter) in first.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for j in second.indices {
      let replaced = diagonal + (letter == second[j] ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
    }
  }
  return min(row[second.count], limit + 1)
}
