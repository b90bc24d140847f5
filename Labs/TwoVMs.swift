@main
struct TwoVMs {
  static func main() {}
}
