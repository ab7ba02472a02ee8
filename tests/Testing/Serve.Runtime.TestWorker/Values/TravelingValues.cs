using System.Collections;
using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Collections.ObjectModel;
using System.Data;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Numerics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Serve.Runtime.TestWorker.Values;

/// <summary>Values that must arrive equal in another process, and values that must be rejected before they are sent.</summary>
public static class TravelingValues
{
    public static IReadOnlyList<TravelingValue> All { get; } = [.. Numbers(), .. TextsAndArrays(), .. Collections(), .. Classes(), .. Polymorphism(), .. PlatformTypes(), .. Exceptions(), .. Refused(), .. Unusual()];

    private static TravelingValue[] Numbers() =>
    [
        Equal("int", () => 5),
        Equal("Int128", () => Int128.MaxValue),
        Equal("UInt128", () => UInt128.MaxValue),
        Equal("Half", () => (Half)1.5),
        Equal("decimal scale", () => 1.10m, (a, b) => Same(a.ToString(), b.ToString())),
        Equal("double NaN payload", () => BitConverter.Int64BitsToDouble(0x7ff8000000000123), (a, b) => Same(BitConverter.DoubleToInt64Bits(a), BitConverter.DoubleToInt64Bits(b))),
        Equal("double -0", () => -0.0, (a, b) => Same(1 / a, 1 / b)),
        Equal("RecD NaN/inf", () => new RecD(double.NaN, float.PositiveInfinity)),
        Equal("List<double> NaN", () => new List<double> { double.NaN, -0.0 }),
        Equal("BigInteger 2^100", () => BigInteger.Pow(2, 100)),
        Equal("List<BigInteger>", () => new List<BigInteger> { 12345 }),
        Equal("record BigInteger", () => new Rbi(12345)),
        Equal("Complex", () => new Complex(1, 2)),
        Equal("Complex[]", () => new Complex[] { new(1, 2) }),
        Equal("List<Complex>", () => new List<Complex> { new(1, 2) }),
        Equal("record Complex", () => new Rcx(new(1, 2))),
        Equal("Vector3", () => new Vector3(1, 2, 3)),
        Equal("Matrix4x4", () => Matrix4x4.Identity),
        Equal("DateOnly", () => new DateOnly(2024, 2, 29)),
        Equal("TimeOnly", () => new TimeOnly(1, 2, 3)),
        Equal("DateTime Utc", () => new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc)),
        Equal("DateTime Local", () => new DateTime(2024, 1, 1, 0, 0, 0, DateTimeKind.Local)),
        Equal("DateTime Unspecified", () => new DateTime(2024, 1, 1)),
        Equal("DateTimeOffset", () => new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.FromHours(9))),
        Equal("List<DateTime> kinds", () => new List<DateTime> { new(2024, 1, 1, 0, 0, 0, DateTimeKind.Utc), new(2024, 1, 1, 0, 0, 0, DateTimeKind.Local) }),
        Equal("TimeSpan", () => TimeSpan.FromTicks(7)),
        Equal("Guid", () => new Guid(1, 2, 3, new byte[8])),
        Equal("enum", () => DayOfWeek.Friday),
        Equal("enum byte undefined", () => (Small)77),
        Equal("enum flags long", () => Fl.A | Fl.B),
        Equal("int? null", () => (int?)null),
        Equal("int? 4", () => (int?)4),
        Equal("char", () => 'x'),
        Equal("Rune", () => new Rune('a')),
        Equal("Index", () => ^3),
        Equal("Range", () => 1..^3),
        Equal("DateTime[] kind", () => new[] { DateTime.UnixEpoch }),
        Equal("inline array", () => { var f = new Four(); f[2] = 7; return f; }, (a, b) => Same(a[2], b[2])),
    ];

    private static TravelingValue[] TextsAndArrays() =>
    [
        Equal("string lone surrogate", () => "a\ud800b"),
        Equal("record lone surrogate", () => new Rec("a\ud800b", 1)),
        Equal("string NUL, BOM", () => new Rec("\0\ufeff\u2028", 1)),
        Equal("string 1M", () => new Rec(new string('é', 1_000_000), 1)),
        Equal("StringBuilder", () => new StringBuilder("abc"), (a, b) => Same(a.ToString(), b.ToString())),
        Equal("List<char>", () => new List<char> { 'a', '\ud800' }),
        Equal("float[,]", () => new float[,] { { 1, 2 }, { 3, 4 } }),
        Equal("string[,]", () => new string?[,] { { "a", null } }),
        Equal("int[][]", () => new int[][] { [1], [2, 3] }),
        Equal("string[] null", () => new string?[] { "a", null }),
        Equal("int?[]", () => new int?[] { null, 4 }),
        Equal("array lower bound 1", () => { var a = Array.CreateInstance(typeof(int), [2], [1]); a.SetValue(9, 1); return a; }, (a, b) => Same(a.GetLowerBound(0), b.GetLowerBound(0)) ?? Same(a.GetValue(1), b.GetValue(1))),
        Equal("object[] mixed", () => new object[] { 1, "a", 2.5, 3m, new Rec("x", 1), DayOfWeek.Friday, 'c', 5L }),
        Equal("Animal[] of Dog (covariant Dog[])", () => (Animal[])new Dog[] { new("a", 1) }),
        Equal("byte[] in record", () => new Box<byte[]> { V = [1, 2, 255] }),
        Equal("empty array", () => new int[0]),
        Equal("Memory<byte>", () => new byte[] { 1, 2, 3 }.AsMemory(1), (a, b) => Same(Convert.ToHexString(a.Span), Convert.ToHexString(b.Span))),
        Equal("ReadOnlyMemory<float>", () => (ReadOnlyMemory<float>)new float[] { 1, 2 }, (a, b) => Same(a.Length, b.Length) ?? Same(a.Span[1], b.Span[1])),
        Equal("record Memory<byte>", () => new Box<Memory<byte>> { V = new byte[] { 1, 2, 3 }.AsMemory(1) }, (a, b) => Same(Convert.ToHexString(a.V.Span), Convert.ToHexString(b.V.Span))),
        Equal("ArraySegment", () => new ArraySegment<byte>([1, 2, 3], 1, 2), (a, b) => Same(a.Offset, b.Offset) ?? Same(Convert.ToHexString(a), Convert.ToHexString(b))),
        Equal("Tensor<float>", () => System.Numerics.Tensors.Tensor.Create<float>((float[])[1, 2, 3, 4], [2, 2]), (a, b) => Same(a.Rank, b.Rank) ?? Same(a[1, 0], b[1, 0])),
    ];

    private static TravelingValue[] Collections() =>
    [
        Equal("List<int>", () => new List<int> { 1, 2 }),
        Equal("Dictionary<int,string>", () => new Dictionary<int, string> { [1] = "a" }),
        Equal("Dictionary record key", () => new Dictionary<Rec, int> { [new("a", 1)] = 1 }, (a, b) => Same(b.GetValueOrDefault(new("a", 1)), 1)),
        Equal("Dictionary tuple key", () => new Dictionary<(int, int), string> { [(1, 2)] = "a" }),
        Equal("Dictionary Guid/DateTime/enum key", () => (new Dictionary<Guid, int> { [Guid.Empty] = 1 }, new Dictionary<DateTime, int> { [DateTime.UnixEpoch] = 1 }, new Dictionary<DayOfWeek, int> { [DayOfWeek.Monday] = 1 })),
        Equal("Dictionary OrdinalIgnoreCase", () => new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase) { ["A"] = 1 }, (a, b) => Same(true, b.ContainsKey("a")) ?? Same(1, b.Count)),
        Equal("Dictionary culture comparer", () => new Dictionary<string, int>(StringComparer.Create(CultureInfo.InvariantCulture, CompareOptions.IgnoreNonSpace)) { ["é"] = 1 }, (a, b) => Same(a.ContainsKey("e"), b.ContainsKey("e"))),
        Equal("Dictionary own comparer", () => new Dictionary<string, int>(new LenCmp()) { ["aa"] = 1 }, (a, b) => Same(true, b.ContainsKey("bb"))),
        Equal("Dictionary identity keys shared", () => { var k = new IdKey { N = "k" }; return (k, new Dictionary<IdKey, int> { [k] = 5 }); }, (a, b) => Same(5, b.Item2.GetValueOrDefault(b.k))),
        Equal("Dictionary ReferenceEqualityComparer", () => new Dictionary<object, int>(ReferenceEqualityComparer.Instance) { ["a"] = 1 }, (a, b) => Same(a.Comparer.GetType(), b.Comparer.GetType()) ?? Same(1, b.Count)),
        Equal("Dictionary<string,object>", () => new Dictionary<string, object> { ["n"] = 1, ["s"] = "x", ["d"] = 1.5, ["l"] = new List<int> { 1 } }),
        Equal("Dictionary null values", () => new Dictionary<string, string?> { ["a"] = null }),
        Equal("List<object>", () => new List<object> { 1, "a", 2.5, new DateTime(2024, 1, 1) }),
        Equal("HashSet", () => new HashSet<int> { 1, 2 }),
        Equal("HashSet comparer", () => new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "A" }, (a, b) => Same(true, b.Contains("a"))),
        Equal("SortedDictionary", () => new SortedDictionary<string, int> { ["b"] = 1, ["a"] = 2 }),
        Equal("SortedSet reversed", () => new SortedSet<int>(new Rev()) { 1, 2, 3 }),
        Equal("SortedList", () => new SortedList<string, int> { ["b"] = 1 }),
        Equal("Queue", () => new Queue<int>([1, 2, 3])),
        Equal("Stack", () => new Stack<int>([1, 2, 3])),
        Equal("LinkedList", () => new LinkedList<int>([1, 2])),
        Equal("PriorityQueue", () => { var q = new PriorityQueue<string, int>(); q.Enqueue("b", 2); q.Enqueue("a", 1); return q; }, (a, b) => Same(a.Count, b.Count) ?? Same("a", b.Peek())),
        Equal("BitArray", () => new BitArray(new[] { true, false, true }), (a, b) => Same(a.Length, b.Length) ?? Same(a[2], b[2]) ?? Same(a[1], b[1])),
        Equal("ConcurrentDictionary", () => new ConcurrentDictionary<string, int> { ["a"] = 1 }),
        Equal("ConcurrentQueue", () => new ConcurrentQueue<int>([1, 2])),
        Equal("ConcurrentStack", () => new ConcurrentStack<int>([1, 2])),
        Equal("ConcurrentBag", () => new ConcurrentBag<int>([1, 2])),
        Equal("ImmutableArray", () => ImmutableArray.Create(1, 2)),
        Equal("ImmutableArray default", () => default(ImmutableArray<int>), (a, b) => Same(true, b.IsDefault)),
        Equal("ImmutableList", () => ImmutableList.Create("a", "b")),
        Equal("ImmutableDictionary", () => ImmutableDictionary<string, int>.Empty.Add("a", 1)),
        Equal("ImmutableDictionary comparer", () => ImmutableDictionary.Create<string, int>(StringComparer.OrdinalIgnoreCase).Add("A", 1), (a, b) => Same(true, b.ContainsKey("a"))),
        Equal("ImmutableHashSet", () => ImmutableHashSet.Create(1, 2)),
        Equal("ImmutableSortedDictionary", () => ImmutableSortedDictionary<string, int>.Empty.Add("b", 1).Add("a", 2)),
        Equal("ImmutableStack", () => ImmutableStack.Create(1, 2, 3)),
        Equal("FrozenDictionary", () => new Dictionary<string, int> { ["a"] = 1 }.ToFrozenDictionary()),
        Equal("FrozenSet", () => new[] { 1, 2, 3 }.ToFrozenSet()),
        Equal("ReadOnlyCollection", () => new ReadOnlyCollection<int>([1, 2])),
        Equal("ReadOnlyDictionary", () => new ReadOnlyDictionary<string, int>(new Dictionary<string, int> { ["a"] = 1 })),
        Equal("ObservableCollection", () => new ObservableCollection<int> { 1, 2 }),
        Equal("ILookup", () => new[] { "a", "bb" }.ToLookup(x => x.Length), (a, b) => Same("bb", b[2].FirstOrDefault())),
        Equal("Hashtable", () => new Hashtable { ["a"] = 1 }, (a, b) => Same(1, b["a"])),
        Equal("ArrayList", () => new ArrayList { 1, "a" }),
        Equal("IEnumerable<int> LINQ", () => Enumerable.Range(0, 4).Select(x => x * 2), (a, b) => Same(string.Join(",", a), string.Join(",", b))),
        Equal("IEnumerable<int> iterator", () => Iterate(), (a, b) => Same(string.Join(",", a), string.Join(",", b))),
        Equal("IReadOnlyList<int> [..]", () => (IReadOnlyList<int>)[1, 2], (a, b) => Same(string.Join(",", a), string.Join(",", b))),
        Equal("IList<Rec> List", () => (IList<Rec>)new List<Rec> { new("a", 1) }),
        Equal("MyList : List<int>", () => new MyList { 1, 2 }.With(l => l.Extra = 5)),
        Equal("MyDict : Dictionary", () => new MyDict { ["A"] = 1 }.With(d => d.Extra = 4), (a, b) => Same(4, b.Extra) ?? Same(true, b.ContainsKey("a"))),
        Equal("own IEnumerable class", () => new Wrap { 1, 2 }.With(w => w.Tag = "t"), (a, b) => Same("t", b.Tag) ?? Same(2, b.Count())),
        Equal("KeyValuePair", () => new KeyValuePair<string, int>("k", 1)),
        Equal("Tuple", () => Tuple.Create(1, "x")),
        Equal("ValueTuple", () => (1, "b", 2.5)),
        Equal("ValueTuple of 9", () => (1, 2, 3, 4, 5, 6, 7, "8", 9)),
        Equal("List of tuples", () => new List<(int, string)> { (1, "a") }),
        Equal("record with tuple", () => new TupRec((1, 2))),
    ];

    private static TravelingValue[] Classes() =>
    [
        Equal("Rec", () => new Rec("x", 1)),
        Equal("null Rec", () => (Rec?)null),
        Equal("struct fields", () => new FieldsS { A = 4, B = 5 }),
        Equal("class fields", () => new FieldsC { A = 4 }),
        Equal("private state", () => new Priv(7)),
        Equal("get-only + other ctor", () => new Mis(7)),
        Equal("public + private field", () => { var a = new Acc(); a.Add(3); a.Add(4); return a; }),
        Equal("get-only List", () => new Order { Id = 1, Items = { "a", "b" } }),
        Equal("get-only Dictionary", () => new Conf { Map = { ["a"] = 1 } }),
        Equal("private setter", () => Ps.Of(9)),
        Equal("internal property", () => new IntP { V = 9, W = 1 }),
        Equal("[JsonIgnore] member", () => new Ig { A = 1, Secret = "s" }),
        Equal("required init", () => new Req { A = 1, B = "x" }),
        Equal("readonly field", () => new RoF(4)),
        Equal("private cache", () => new Cached(4)),
        Equal("two ctors", () => new TwoC(1, 2)),
        Equal("DefaultValue attr", () => new Jd { A = 0 }),
        Equal("readonly struct private", () => new Money(5)),
        Equal("record struct", () => new Rs(1, 2)),
        Equal("struct with refs", () => { var s = new RefStruct { S = "a", N = new Node { V = 3 } }; s.Set(6); return s; }),
        Equal("same private name in base", () => new Derived1().With(d => { d.SetB(10); d.SetD(20); })),
        Equal("hiding property", () => new Hide { X = "s" }.With(h => ((HideBase)h).X = 4)),
        Equal("indexer class", () => new Idx { ["a"] = 5 }),
        Equal("setter that checks", () => new Thrower().With(t => t.Force(9))),
        Equal("ctor with side effect, value null", () => new SideCtor { Id = null! }),
        Equal("private nested", () => new Nested(3)),
        Equal("anonymous via object", () => (object)new { a = 1, b = "x" }),
        Equal("generic Box<Rec> hidden", () => new Box<Rec> { V = new("a", 1) }.Set(new("b", 2))),
        Equal("Box<Box<int?>>", () => new Box<Box<int?>> { V = new() { V = null } }),
        Equal("object gate", () => new WithGate { A = 3 }, (a, b) => Same(3, b.Get())),
        Equal("Lock gate", () => new WithLock { A = 3 }, (a, b) => Same(3, b.Get())),
        Equal("event without subscriber", () => new WithEvent { A = 2 }),
        Equal("null delegate field", () => new Line { Name = "n" }),
        Equal("IDisposable data", () => new Disp { A = 3 }),
        Equal("smart enum by reference", () => (Red: SmartEnum.Red, Others: new List<SmartEnum> { SmartEnum.Blue }), (a, b) => Same(true, ReferenceEquals(b.Red, SmartEnum.Red)) ?? Same(true, ReferenceEquals(b.Item2[0], SmartEnum.Blue))),
        Equal("CancellationToken.None member", () => new HasTok { A = 1 }),
        Equal("Dto nested", () => new Dto { A = "x", B = 3, C = DateTimeOffset.UnixEpoch, D = [new() { A = "y" }], E = new() { ["k"] = new() { B = 1 } }, F = Small.B }),
        Equal("Random seeded", () => { var r = new Random(42); r.Next(); return r; }, (a, b) => IsNext(a, b.Next())),
        Equal("Random unseeded type", () => new Random(7), (a, b) => IsNext(a, b.Next())),
    ];

    private static TravelingValue[] Polymorphism() =>
    [
        Equal("base arg Derived", () => (Animal)new Dog("rex", 3)),
        Equal("abstract arg", () => (Geo)new Circle(2)),
        Equal("List<Base> of Derived", () => new List<Animal> { new Dog("a", 1), new("b") }),
        Equal("List<Pet> of Cat", () => new List<Pet> { new Cat("tom", 9) }),
        Equal("Pet[] of Cat", () => new Pet[] { new Cat("tom", 9) }),
        Equal("member Base", () => new Rb(new Cat("tom", 9))),
        Equal("object int", () => (object)5),
        Equal("object long in record", () => new Ro(5L)),
        Equal("object record", () => (object)new Rec("x", 1)),
        Equal("object member decimal", () => new Ro(1.10m)),
        Equal("object member List", () => new Ro(new List<Rec> { new("a", 1) })),
        Equal("object member Type", () => new Ro(typeof(List<int>))),
        Equal("object string", () => (object)"hi"),
        Equal("interface arg", () => (IShape)new Shape1(3)),
        Equal("interface member", () => new Ri(new Shape1(3))),
        Equal("List<IShape>", () => new List<IShape> { new Shape1(3) }),
        Equal("Box<object> of enum", () => new Box<object> { V = DayOfWeek.Friday }),
        Equal("Dictionary<Type,int>", () => new Dictionary<Type, int> { [typeof(Rec)] = 1 }),
        Equal("cycle", () => { var n = new Node(); n.Next = n; return n; }, (a, b) => Same(true, ReferenceEquals(b, b.Next))),
        Equal("shared reference", () => { var s = new Node { V = 1 }; return new NodePair { A = s, B = s }; }, (a, b) => Same(true, ReferenceEquals(b.A, b.B))),
        Equal("shared in list", () => { var s = new Node(); return new List<Node> { s, s }; }, (a, b) => Same(true, ReferenceEquals(b[0], b[1]))),
        Equal("tree with parents", () => { var t = new Tree { Name = "r" }; t.Kids.Add(new() { Parent = t, Name = "k" }); return t; }, (a, b) => Same(true, ReferenceEquals(b.Kids[0].Parent, b)) ?? Same("k", b.Kids[0].Name)),
        Equal("dictionary in its own key", () => { var k = new SelfKey { Id = 5 }; k.Map = new() { [k] = "x" }; return k; }, (a, b) => Same("x", b.Map!.GetValueOrDefault(b))),
        Equal("list of itself", () => { var l = new List<object>(); l.Add(l); return l; }, (a, b) => Same(true, ReferenceEquals(b, b[0]))),
        Equal("array of itself", () => { var l = new object[1]; l[0] = l; return l; }, (a, b) => Same(true, ReferenceEquals(b, b[0]))),
        Equal("deep 200", () => Node.Make(200)),
        Equal("deep 10,000", () => Node.Make(10_000)),
        Equal("deep 100,000", () => Node.Make(100_000), (a, b) => Same(Node.Count(a), Node.Count(b))),
    ];

    private static TravelingValue[] PlatformTypes() =>
    [
        Equal("Uri", () => new Uri("http://a/b?c=%20é")),
        Equal("Uri relative", () => new Uri("b/c", UriKind.Relative)),
        Equal("Version", () => new Version(1, 2)),
        Equal("IPAddress", () => IPAddress.Loopback),
        Equal("IPAddress v6 scope", () => new IPAddress(IPAddress.IPv6Loopback.GetAddressBytes(), 3)),
        Equal("IPEndPoint", () => new IPEndPoint(IPAddress.Loopback, 80)),
        Equal("CultureInfo", () => CreateCulture(), (a, b) => Same(a.Name, b.Name)),
        Equal("TimeZoneInfo", () => TimeZoneInfo.Utc, (a, b) => Same(true, a.Equals(b))),
        Equal("TimeZoneInfo custom", () => TimeZoneInfo.CreateCustomTimeZone("Mine", TimeSpan.FromMinutes(90), "M", "M"), (a, b) => Same(true, a.Equals(b)) ?? Same(a.BaseUtcOffset, b.BaseUtcOffset)),
        Equal("Regex", () => new Regex("a+", RegexOptions.IgnoreCase), (a, b) => Same("a+", b.ToString()) ?? Same(true, b.IsMatch("A"))),
        Equal("Type", () => typeof(Dictionary<string, Rec>)),
        Equal("Encoding", () => Encoding.UTF8, (a, b) => Same(a.WebName, b.WebName) ?? Same(a.GetPreamble().Length, b.GetPreamble().Length)),
        Equal("FileInfo", () => new FileInfo("/etc/hosts"), (a, b) => Same(a.FullName, b.FullName)),
        Equal("JsonElement", () => JsonDocument.Parse("{\"a\":1.50}").RootElement, (a, b) => Same(a.GetRawText(), b.ValueKind == JsonValueKind.Undefined ? "" : b.GetRawText())),
        Equal("JsonNode", () => JsonNode.Parse("{\"a\":[1,null]}")!, (a, b) => Same(a.ToJsonString(), b.ToJsonString())),
        Equal("JsonElement member", () => new Box<JsonElement> { V = JsonDocument.Parse("[1]").RootElement }, (a, b) => Same("[1]", b.V.ValueKind == JsonValueKind.Undefined ? "" : b.V.GetRawText())),
        Equal("XDocument", () => XDocument.Parse("<a> <b c='1'/></a>"), (a, b) => Same(true, XNode.DeepEquals(a, b))),
        Equal("DataTable", () => { var t = new DataTable("t"); t.Columns.Add("a", typeof(int)); t.Columns.Add("b", typeof(string)); t.Rows.Add(1, "x"); t.Rows.Add(2, DBNull.Value); t.AcceptChanges(); t.Rows[0][0] = 5; return t; }, (a, b) => Same(2, b.Rows.Count) ?? Same(5, b.Rows[0][0]) ?? Same(typeof(int), b.Columns[0].DataType) ?? Same(DBNull.Value, b.Rows[1][1]) ?? Same(DataRowState.Modified, b.Rows[0].RowState) ?? Same(1, b.Rows[0][0, DataRowVersion.Original])),
        Equal("DBNull in object", () => new Ro(DBNull.Value), (a, b) => Same(true, ReferenceEquals(b.V, DBNull.Value))),
        Equal("Lazy with value", () => { var l = new Lazy<int>(() => 5); _ = l.Value; return l; }, (a, b) => Same(5, b.Value)),
        Equal("NumberFormatInfo changed", () => new NumberFormatInfo { NumberDecimalSeparator = ";" }, (a, b) => Same(a.NumberDecimalSeparator, b.NumberDecimalSeparator)),
        Equal("StringComparer", () => StringComparer.OrdinalIgnoreCase, (a, b) => Same(true, b.Equals("A", "a"))),
    ];

    private static TravelingValue[] Exceptions() =>
    [
        Equal("exception own field, Data", () => Thrown(new MyE(5)).With(e => e.Data["k"] = "v"), (a, b) => SameException(a, b) ?? Same(5, b.C) ?? Same("v", b.Data["k"])),
        Equal("exception own ctor, inner, list", () => Thrown(new MyEx2("k", new ArgumentException("in", "par")).With(e => e.Codes.Add(4))), (a, b) => SameException(a, b) ?? Same("k", b.Kind) ?? Same(4, b.Codes?.FirstOrDefault()) ?? Same("par", (b.InnerException as ArgumentException)?.ParamName)),
        Equal("HttpRequestException", () => new HttpRequestException("h", null, HttpStatusCode.NotFound), (a, b) => SameException(a, b) ?? Same(a.StatusCode, b.StatusCode)),
        Equal("AggregateException", () => new AggregateException("agg", new MyE(1), new TimeoutException("t")), (a, b) => SameException(a, b) ?? Same(2, b.InnerExceptions?.Count) ?? Same(1, (b.InnerExceptions?[0] as MyE)?.C)),
        Equal("SocketException", () => new SocketException(111), (a, b) => SameException(a, b) ?? Same(a.SocketErrorCode, b.SocketErrorCode)),
        Equal("Exception as member", () => new Ro(new MyE(5)), (a, b) => Same(5, (b.V as MyE)?.C)),
        Equal("FileNotFoundException", () => new FileNotFoundException("m", "f.txt"), (a, b) => SameException(a, b) ?? Same("f.txt", b.FileName)),
    ];

    private static TravelingValue[] Refused() =>
    [
        Refused("delegate", () => (Func<int>)(() => 5)),
        Refused("delegate deep", () => new Lines { All = { new(), new() { Handler = () => 3 } } }),
        Refused("event subscriber", () => new WithEvent().With(e => e.Sub())),
        Refused("object member delegate", () => new Ro((Action)(() => { }))),
        Refused("comparer from delegate", () => new SortedSet<int>(Comparer<int>.Create((a, b) => b - a)) { 1, 2 }),
        Refused("Lazy not asked", () => new Lazy<int>(() => 5)),
        Refused("MemoryStream", () => new MemoryStream([1, 2])),
        Refused("Stream declared", () => (Stream)new MemoryStream([1, 2])),
        Refused("FileStream member", () => new Ro(File.OpenRead("/etc/hostname"))),
        Refused("Socket", () => new Socket(SocketType.Stream, ProtocolType.Tcp)),
        Refused("HttpClient", () => new HttpClient { BaseAddress = new("http://x/") }),
        Refused("Task", () => Task.FromResult(1)),
        Refused("ValueTask<int>", () => new ValueTask<int>(Task.FromResult(1))),
        Refused("CancellationToken live", () => new CancellationTokenSource().Token),
        Refused("CancellationToken member", () => new HasTok { T = new CancellationTokenSource().Token }),
        Refused("Thread", () => new Thread(() => { })),
        Refused("SemaphoreSlim", () => new SemaphoreSlim(1)),
        Refused("Timer member", () => new Ro(new Timer(_ => { }))),
        Refused("nint", () => (nint)5),
        Refused("pointer member", () => new HasPtr { A = 1 }),
        Refused("own finalizer", () => new Fin { A = 1 }),
        Refused("IAsyncEnumerable", () => IterateAsync()),
        Refused("IEnumerator", () => ((IEnumerable<int>)[1, 2]).GetEnumerator()),
        Refused("Process", () => System.Diagnostics.Process.GetCurrentProcess()),
        Refused("WeakReference", () => new WeakReference<object>("a")),
        Refused("AsyncLocal", () => new AsyncLocal<int> { Value = 4 }),
        Refused("MethodInfo", () => typeof(Rec).GetMethod("ToString", [])!),
        Refused("closure object", () => { var k = 3; Func<int> f = () => k; return f.Target!; }),
        Refused("ThreadLocal", () => new ThreadLocal<int>(() => 3)),
        Refused("Assembly", () => typeof(Rec).Assembly),
        Refused("ConditionalWeakTable", () => new ConditionalWeakTable<object, object>()),
        Refused("Expression", () => System.Linq.Expressions.Expression.Constant(5)),
        Refused("SafeHandle", () => File.OpenHandle("/etc/hostname")),
    ];

    private static TravelingValue[] Unusual() =>
    [
        Equal("boxed struct in interface", () => new Ri(new ShapeS { W = 4 })),
        Equal("struct of itself in array", () => new Kids { N = "a", Sub = [new() { N = "b" }] }),
        Equal("fixed buffer", () => { var f = new Fixed(); unsafe { f.A[2] = 6; } return f; }, (a, b) => { unsafe { return Same(a.A[2], b.A[2]); } }),
        Equal("Dictionary after removals", () => { var d = new Dictionary<string, int>(); for (var i = 0; i < 9; i++) d["k" + i] = i; d.Remove("k3"); d["z"] = 1; return d; }),
        Equal("wrapped Queue", () => { var q = new Queue<int>([1, 2, 3]); q.Dequeue(); q.Enqueue(4); q.Enqueue(5); return q; }),
        Refused("own hash table", () => { var h = new OwnHash(); for (var i = 0; i < 8; i++) h.Add("key" + i, i); return h; }),
        Equal("cached hash code", () => new CachedHash("abc").Warm(), (a, b) => Same(true, b.Equals(new CachedHash("abc")))),
        Equal("[NonSerialized] + [OnDeserialized]", () => new Skips { A = 4 }.Init(), (a, b) => Same(4, b.A) ?? Same(8, b.F?.Invoke())),
        Equal("Collection<T> subclass", () => { var c = new MyCol { Tag = "t" }; c.Raw(7); return c; }, (a, b) => Same("t", b.Tag) ?? Same(7, b.FirstOrDefault())),
        Equal("SortedDictionary own comparer state", () => new SortedDictionary<string, int>(new ByLen(-1)) { ["a"] = 1, ["bb"] = 2 }, (a, b) => Same("bb", b.First().Key) ?? Same(true, b.ContainsKey("xx"))),
        Equal("curiously recurring", () => new Crtp { Id = "1", Other = new() { Id = "2" } }),
        Equal("public static Default, another value", () => new Mutable1 { A = 5 }),
        Equal("static Default changed here only", () => { Mutable1.Default.A++; return Mutable1.Default; }, (a, b) => null),
        Equal("private ctor singleton, own value", () => PrivSingle.New(8)),
        Equal("file-local type", () => UnusualTypes.CreateFileLocal()),
        Equal("ReadOnlyMemory<char> of string", () => "hello".AsMemory(1, 3), (a, b) => Same(a.ToString(), b.ToString())),
        Equal("covariant interface", () => (ITag<object>)new TagS { V = "v" }),
        Equal("Box<int>[] with null", () => new Box<int>?[] { null, new() { V = 3 } }),
        Equal("Dictionary<string,List<Dictionary<int,Rec?>>>", () => new Dictionary<string, List<Dictionary<int, Rec?>>> { ["a"] = [new() { [1] = null, [2] = new("x", 1) }] }),
        Equal("50,000 records", () => Enumerable.Range(0, 50_000).Select(i => new Rec("n" + i, i)).ToList()),
        Equal("deep 300,000", () => Node.Make(300_000), (a, b) => Same(Node.Count(a), Node.Count(b))),
        Equal("string[] in object[]", () => new object[] { new string[] { "a" }, new int?[] { null }, new List<object?> { null } }),
        Equal("array of interfaces", () => new IShape[] { new Shape1(1), new ShapeS { W = 2 } }),
        Equal("Task exception: OperationCanceled with token", () => { try { new CancellationToken(true).ThrowIfCancellationRequested(); return null!; } catch (OperationCanceledException e) { return e; } }, (a, b) => Same(a.Message, b.Message)),
        Equal("TaskCanceledException with task", () => new TaskCanceledException(Task.FromCanceled(new CancellationToken(true))), (a, b) => Same(a.Message, b.Message)),
        Equal("exception Data with list", () => new Exception("m").With(e => e.Data["l"] = new List<int> { 1 }), (a, b) => Same(1, (b.Data["l"] as List<int>)?[0])),
        Equal("XElement CR LF", () => new XElement("a", "x\r\ny\tz"), (a, b) => Same(a.Value, b.Value)),
        Equal("DataTable CR LF, spaces", () => { var t = new DataTable(); t.Columns.Add("a b", typeof(string)); t.Rows.Add(" x\r\n "); t.Rows.Add(""); return t; }, (a, b) => Same(a.Rows[0][0], b.Rows[0][0]) ?? Same(a.Rows[1][0], b.Rows[1][0]) ?? Same(a.TableName, b.TableName)),
        Equal("DataTable object column", () => { var t = new DataTable("t"); t.Columns.Add("a", typeof(double)); t.Columns.Add("b", typeof(byte[])); t.Rows.Add(double.NaN, new byte[] { 1 }); return t; }, (a, b) => Same(a.Rows[0][0], b.Rows[0][0]) ?? Same(1, (int)((byte[])b.Rows[0][1])[0])),
        Equal("JsonNode duplicate-free big number", () => JsonNode.Parse("{\"a\":123456789012345678901234567890}")!, (a, b) => Same(a.ToJsonString(), b.ToJsonString())),
        Equal("GeneratedRegex", () => UnusualTypes.Generated(), (a, b) => Same(a.ToString(), b.ToString()) ?? Same(true, b.IsMatch("b"))),
        Equal("Newtonsoft JObject", () => Newtonsoft.Json.Linq.JObject.Parse("{\"a\":[1,{\"b\":2}]}"), (a, b) => Same(a.ToString(), b.ToString()) ?? Same(2, (int)b["a"]![1]!["b"]!) ?? Same(true, ReferenceEquals(b["a"]!.Parent!.Parent, b))),
        Equal("Exception as type argument Box<Exception>", () => new Box<Exception> { V = new MyE(3) }, (a, b) => Same(3, (b.V as MyE)?.C)),
        Refused("SemaphoreSlim count", () => new SemHolder { A = 1 }),
        Equal("IPv4 in dictionary key", () => new Dictionary<IPAddress, int> { [IPAddress.Parse("10.0.0.1")] = 1 }, (a, b) => Same(1, b.GetValueOrDefault(IPAddress.Parse("10.0.0.1")))),
        Equal("HashSet of HashSet with set comparer", () => new HashSet<List<int>> { new() { 1 } }),
        Equal("FrozenDictionary ignore case", () => new Dictionary<string, int> { ["A"] = 1 }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase), (a, b) => Same(true, b.ContainsKey("a"))),
        Equal("NameValueCollection", () => new System.Collections.Specialized.NameValueCollection { ["a"] = "b" }, (a, b) => Same("b", b["a"])),
        Equal("ExpandoObject", () => { dynamic e = new System.Dynamic.ExpandoObject(); e.a = 1; return (object)e; }, (a, b) => Same(1, ((IDictionary<string, object?>)b!)["a"])),
        Equal("Guid in object", () => new Ro(Guid.Empty)),
        Equal("nested ValueTuple with refs", () => (new Rec("a", 1), (Shared: new List<int> { 1 }, "b"))),
        Equal("UTF8 no BOM encoding", () => (Encoding)new UTF8Encoding(false), (a, b) => Same(0, b.GetPreamble().Length)),
        Refused("CultureInfo changed", () => { var c = CreateCulture(); c.NumberFormat.CurrencySymbol = "X"; return c; }),
        Equal("long string ids shared 10,000", () => { var s = new string('x', 1000); return Enumerable.Range(0, 10_000).Select(_ => s).ToArray(); }),
        Refused("type of a dynamic assembly", () => UnusualTypes.CreateDynamic()),
        Refused("static method delegate member", () => new Ro((Func<int, int>)Math.Abs)),
        Refused("BlockingCollection", () => new BlockingCollection<int>()),
        Refused("ILogger-like with Timer", () => new Ro(new { t = new System.Timers.Timer() })),
        Refused("MemoryStream in list of object", () => new List<object> { 1, new MemoryStream() }),
        Refused("CTS in exception Data", () => new Exception("x").With(e => e.Data["k"] = new CancellationTokenSource())),
        Refused("IQueryable", () => new[] { 1 }.AsQueryable().Where(x => x > 0)),
        Refused("GCHandle member", () => new Ro(System.Runtime.InteropServices.GCHandle.Alloc("a"))),
        Refused("Span-like Utf8JsonWriter", () => new Utf8JsonWriter(new MemoryStream())),
    ];

    private static TravelingValue Equal<T>(string name, Func<T> create, Func<T, T, string?>? compare = null) => new TravelingValue<T>(name, create, isRefused: false, compare);

    private static TravelingValue Refused<T>(string name, Func<T> create) => new TravelingValue<T>(name, create, isRefused: true, null);

    private static string? Same(object? one, object? other) => Equals(one, other) ? null : $"{one} -> {other}";

    // The worker has drawn one number before it returns the generator.
    private static string? IsNext(Random expected, int number) => expected.Next() == number || expected.Next() == number ? null : $"not the sequence's number: {number}";

    private static string? SameException(Exception one, Exception other) =>
        Same(one.GetType(), other.GetType()) ?? Same(one.Message, other.Message) ?? Same(one.HResult, other.HResult) ?? Same(one.InnerException?.Message, other.InnerException?.Message) ??
        Same(one.InnerException?.GetType(), other.InnerException?.GetType()) ?? Same(one.Data.Count, other.Data.Count) ??
        (one.StackTrace is null || other.StackTrace?.Contains(nameof(Thrown), StringComparison.Ordinal) == true ? null : "the stack trace was lost");

    private static T Thrown<T>(T exception)
        where T : Exception
    {
        try
        {
            throw exception;
        }
        catch (T)
        {
            return exception;
        }
    }

    private static T With<T>(this T value, Action<T> change)
    {
        change(value);
        return value;
    }

    private static IEnumerable<int> Iterate()
    {
        yield return 1;
        yield return 2;
    }

    private static async IAsyncEnumerable<int> IterateAsync()
    {
        yield return 1;
        await Task.Yield();
    }

    // The platform knows no other culture where it uses no ICU.
    private static CultureInfo CreateCulture() => new(AppContext.TryGetSwitch("System.Globalization.Invariant", out var isInvariant) && isInvariant ? "" : "de-DE");

    private sealed class Nested(int p)
    {
        public int P => p;
    }
}
