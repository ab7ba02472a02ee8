using System.Collections;
using System.Collections.ObjectModel;
using System.Globalization;
using System.Numerics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Serve.Runtime.TestWorker.Values;

#pragma warning disable CS0067, CS0414, IDE1006, IDE0040, CA1051, CA1065, CA1819, CA2211 // Classes as users write them, with members that serializers commonly lose.

public record Rec(string Name, int N);

public record RecD(double A, float B);

public struct FieldsS { public int A; public int B; }

public class FieldsC { public int A; }

public class Priv { int v; public Priv(int value) { v = value; } public int Get() => v; }

public class Mis { public Mis(int other) => Value = other; public int Value { get; } }

public record Animal(string Name);

public record Dog(string Name, int Age) : Animal(Name);

public abstract record Geo;

public record Circle(int R) : Geo;

public interface IShape { int Area(); }

public record Shape1(int Side) : IShape { public int Area() => Side * Side; }

public record TupRec((int X, int Y) P);

public class Node
{
    public Node? Next { get; set; }

    public int V { get; set; }

    public static int Count(Node? n) { var c = 0; for (; n is not null; n = n.Next) c++; return c; }

    public static Node Make(int n) { Node? h = null; for (var i = 0; i < n; i++) h = new Node { Next = h, V = i }; return h!; }
}

public class NodePair { public Node? A { get; set; } public Node? B { get; set; } }

public class MyE(int c) : Exception("mye") { public int C { get; } = c; }

public class Req { public required int A { get; init; } public required string B { get; init; } }

public class Ig { public int A { get; set; } [JsonIgnore] public string? Secret { get; set; } }

public class Ps { public int V { get; private set; } public static Ps Of(int v) => new() { V = v }; }

public class IntP { internal int V { get; set; } public int W { get; set; } }

public class MyList : List<int> { public int Extra { get; set; } }

public class MyDict : Dictionary<string, int> { public MyDict() : base(StringComparer.OrdinalIgnoreCase) { } public int Extra; }

public readonly record struct Rs(int A, int B);

public sealed class Acc { public int Count { get; set; } double sum; public void Add(double x) { Count++; sum += x; } public double Total() => sum; }

public sealed class Order { public int Id { get; set; } public List<string> Items { get; } = []; }

public sealed class Conf { public Dictionary<string, int> Map { get; } = []; }

public record Ro(object V);

public record Ri(IShape S);

public record Pet(string Name);

public record Cat(string Name, int Lives) : Pet(Name);

public record Rb(Pet A);

public sealed class RoF(int v) { public readonly int V = v; }

public sealed class Cached(int n) { readonly int twice = n * 2; public int N { get; } = n; public int Twice() => twice; }

public sealed class TwoC { public int A { get; } public int B { get; } public TwoC(int a) => A = a; public TwoC(int a, int b) { A = a; B = b; } }

public record Rbi(BigInteger B);

public record Rcx(Complex C);

public sealed class Jd { [System.ComponentModel.DefaultValue(5)] public int A { get; set; } = 5; }

public readonly struct Money
{
    readonly long cents;

    public Money(decimal amount) => cents = (long)(amount * 100);

    public decimal Amount => cents / 100m;
}

public class Base1 { private int x = 1; public int BX => x; public void SetB(int v) => x = v; }

public class Derived1 : Base1 { private int x = 2; public int DX => x; public void SetD(int v) => x = v; }

public sealed class SmartEnum
{
    public static readonly SmartEnum Red = new("red"), Blue = new("blue");

    readonly string name;

    SmartEnum(string n) => name = n;

    public override string ToString() => name;
}

public sealed class WithEvent { public int A; public event Action? Changed; public void Sub() => Changed += () => { }; }

public sealed class WithGate { readonly object gate = new(); public int A; public int Get() { lock (gate) return A; } }

public sealed class WithLock { readonly Lock gate = new(); public int A; public int Get() { lock (gate) return A; } }

public sealed class Tree { public Tree? Parent; public List<Tree> Kids = []; public string Name = ""; }

public sealed class IdKey { public string N = ""; }

public sealed class SelfKey
{
    public int Id;

    public Dictionary<SelfKey, string>? Map;

    public override int GetHashCode() => Id;

    public override bool Equals(object? o) => o is SelfKey k && k.Id == Id;
}

public sealed class LenCmp : IEqualityComparer<string>
{
    public bool Equals(string? a, string? b) => a?.Length == b?.Length;

    public int GetHashCode(string s) => s.Length;
}

public sealed class Rev : IComparer<int> { public int Compare(int a, int b) => b.CompareTo(a); }

public class Box<T>
{
    public T V { get; set; } = default!;

    T? hidden;

    public Box<T> Set(T h) { hidden = h; return this; }

    public T? Hidden() => hidden;
}

public struct RefStruct { public string S; public Node? N; int p; public void Set(int x) => p = x; public readonly int P => p; }

public sealed class Lines { public List<Line> All { get; } = []; }

public sealed class Line { public Func<int>? Handler; public string Name = ""; }

public sealed class HasTok { public CancellationToken T; public int A; }

public sealed unsafe class HasPtr { public int* P; public int A; }

public sealed class Fin { nint h = 5; public int A; ~Fin() { h = 0; } }

public sealed class Disp : IDisposable { public int A; public void Dispose() { } }

public class HideBase { public int X { get; set; } }

public class Hide : HideBase { public new string X { get; set; } = ""; }

public sealed class Idx { readonly Dictionary<string, int> d = []; public int this[string k] { get => d[k]; set => d[k] = value; } }

public sealed class Thrower
{
    int v;

    public int V { get => v; set => v = value > 5 ? throw new InvalidOperationException("setter") : value; }

    public void Force(int x) => v = x;
}

public sealed class SideCtor { public string Id { get; set; } public SideCtor() => Id = "from ctor"; }

public enum Small : byte { A, B = 200 }

[Flags] public enum Fl : long { A = 1, B = 1L << 40 }

[InlineArray(4)] public struct Four { int e; }

public sealed class MyEx2 : InvalidOperationException
{
    public List<int> Codes { get; } = [];

    public readonly string Kind;

    public MyEx2(string kind, Exception inner) : base("two " + kind, inner) { Kind = kind; }
}

public sealed class Dto
{
    public string? A { get; set; }

    public int? B { get; set; }

    public DateTimeOffset C { get; set; }

    public List<Dto>? D { get; set; }

    public Dictionary<string, Dto>? E { get; set; }

    public Small F { get; set; }
}

public sealed class Wrap : IEnumerable<int>
{
    readonly List<int> l = [];

    public string Tag = "";

    public void Add(int x) => l.Add(x);

    public IEnumerator<int> GetEnumerator() => l.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

public struct ShapeS : IShape { public int W; public readonly int Area() => W; }

public struct Kids { public Kids[]? Sub; public string N; }

public unsafe struct Fixed { public fixed int A[4]; }

public sealed class OwnHash
{
    (int Hash, string Key, int Val)[] slots = new (int, string, int)[16];

    public void Add(string k, int v) { var h = k.GetHashCode(); var i = (h & 0x7fffffff) % 16; while (slots[i].Key is not null) i = (i + 1) % 16; slots[i] = (h, k, v); }

    public int? Get(string k) { var h = k.GetHashCode(); for (var i = (h & 0x7fffffff) % 16; slots[i].Key is not null; i = (i + 1) % 16) if (slots[i].Hash == h && slots[i].Key == k) return slots[i].Val; return null; }
}

public sealed class CachedHash(string s)
{
    int hash;

    readonly string s = s;

    public CachedHash Warm() { GetHashCode(); return this; }

    public override int GetHashCode() => hash != 0 ? hash : hash = s.GetHashCode();

    public override bool Equals(object? o) => o is CachedHash c && c.s == s && c.GetHashCode() == GetHashCode();
}

public sealed class Skips
{
    public int A;

    [NonSerialized] public Func<int>? F;

    [System.Runtime.Serialization.OnDeserialized] void Again(System.Runtime.Serialization.StreamingContext c) => F = () => A * 2;

    public Skips Init() { F = () => A * 2; return this; }
}

public sealed class MyCol : Collection<int>
{
    public string Tag = "";

    protected override void InsertItem(int i, int x) => base.InsertItem(i, x * 10);

    public void Raw(int x) => Items.Add(x);
}

public sealed class ByLen(int m) : IComparer<string> { readonly int m = m; public int Compare(string? a, string? b) => (a!.Length - b!.Length) * m; }

public abstract class Shared<T> where T : Shared<T> { public string Id { get; init; } = ""; }

public sealed class Crtp : Shared<Crtp> { public Crtp? Other { get; set; } }

public sealed class Mutable1 { public static readonly Mutable1 Default = new(); public int A; public Mutable1() { } }

public sealed class PrivSingle
{
    public static readonly PrivSingle One = new();

    public int Mut;

    PrivSingle() { }

    public static PrivSingle New(int m) => new() { Mut = m };
}

public sealed class SemHolder { readonly SemaphoreSlim s = new(3, 5); public int A; public int Count => s.CurrentCount; }

public interface ITag<out T> { T Get(); }

public sealed class TagS : ITag<string> { public string V = ""; public string Get() => V; }

/// <summary>Types that have no name elsewhere.</summary>
public static partial class UnusualTypes
{
    public static object CreateFileLocal() => new FileLocal { A = 4 };

    public static object CreateDynamic()
    {
        var assembly = System.Reflection.Emit.AssemblyBuilder.DefineDynamicAssembly(new("created"), System.Reflection.Emit.AssemblyBuilderAccess.Run);
        var type = assembly.DefineDynamicModule("module").DefineType("Dynamic", TypeAttributes.Public);
        type.DefineField("A", typeof(int), FieldAttributes.Public);
        return Activator.CreateInstance(type.CreateType())!;
    }

    [GeneratedRegex("b+")]
    public static partial Regex Generated();
}

file sealed class FileLocal
{
    public int A = 3;
}
