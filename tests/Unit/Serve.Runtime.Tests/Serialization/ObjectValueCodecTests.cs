using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using Google.Protobuf;
using Serve.Runtime.Serialization;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Tests.Serialization;

public sealed class ObjectValueCodecTests
{
    public static TheoryData<Type, object?> Values => new()
    {
        { typeof(int), 42 },
        { typeof(int?), 42 },
        { typeof(int?), null },
        { typeof(decimal), 1.25m },
        { typeof(DayOfWeek), DayOfWeek.Friday },
        { typeof(Guid), Guid.NewGuid() },
        { typeof(Point), new Point(1.5, 2.5) },
        { typeof(string), "grüße 🌍" },
        { typeof(string), "half \ud83c a pair" },
        { typeof(string), null },
        { typeof(byte[]), new byte[] { 1, 2, 3 } },
        { typeof(double[]), new[] { 1.0, double.NaN, double.NegativeInfinity } },
        { typeof(double[]), Array.Empty<double>() },
        { typeof(double[,]), new double[,] { { 1, 2, 3 }, { 4, 5, 6 } } },
        { typeof(bool[,,]), new bool[2, 3, 4] },
        { typeof(Point[]), new[] { new Point(1, 2) } },
        { typeof((int, string)), (1, "a") },
        { typeof((int, double[], (string, int[]))), (1, new[] { 2.0 }, ("b", new[] { 3 })) },
        { typeof((int, int, int, int, int, int, int, string, float[])), (1, 2, 3, 4, 5, 6, 7, "h", new[] { 9f }) },
        { typeof((int, string)?), (1, "a") },
        { typeof(List<double>), new List<double> { 1, double.NaN } },
        { typeof(Dictionary<string, int[]>), new Dictionary<string, int[]> { ["a"] = [1, 2], ["b"] = [.. Enumerable.Range(0, 1000)] } },
        { typeof(Batch), new Batch("b", [.. Enumerable.Range(0, 5000).Select(i => (float)i)], new int[2, 3]) },
        { typeof(List<(string, int)>), new List<(string, int)> { ("a", 1) } },
        { typeof(IEnumerable<int>), new[] { 1, 2 } },
        { typeof(object), "text" },
        { typeof(object), 5 },
        { typeof(object), new[] { 1.5 } },
        { typeof(Animal), new Dog("Rex", 3) },
        { typeof(IReadOnlyList<string>), new List<string> { "a" } },
        { typeof(Uri), new Uri("http://localhost/x") },
        { typeof(DateTimeOffset), DateTimeOffset.UnixEpoch },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void Encode_ThenDecode_ReturnsEqualValue(Type type, object? value)
    {
        var read = Travel(type, value, new ObjectValueCodec([]), new ObjectValueCodec([]));

        Assert.Equivalent(value, read, strict: true);
        if (value is not null)
            Assert.Equal(value.GetType(), read!.GetType());
    }

    [Fact]
    public void Encode_Memory_DecodesAsMemoryAndArray()
    {
        var codec = new ObjectValueCodec([]);
        var stored = codec.Encode(typeof(ReadOnlyMemory<float>), new ReadOnlyMemory<float>([1, 2, 3]), "it");

        Assert.Equal([1f, 2f, 3f], ((ReadOnlyMemory<float>)codec.Decode(stored, typeof(ReadOnlyMemory<float>))!).ToArray());
        Assert.Equal([1f, 2f, 3f], ((Memory<float>)codec.Decode(codec.Encode(typeof(Memory<float>), new Memory<float>([1, 2, 3]), "it"), typeof(Memory<float>))!).ToArray());
    }

    [Fact]
    public void Encode_UnmanagedArray_HasNoOverhead() =>
        Assert.Equal(8000, new ObjectValueCodec([]).Encode(typeof(double[,]), new double[10, 100], "it").Size);

    [Fact]
    public void Encode_LargeArrayInRecord_IsStoredNextToGraph()
    {
        var stored = new ObjectValueCodec([]).Encode(typeof(Batch), new Batch("b", new float[100_000], new int[1, 1]), "it");

        Assert.InRange(stored.Size, 400_000, 400_200);
    }

    [Fact]
    public void Encode_RegisteredSerializer_IsUsed()
    {
        var (here, there) = (new ObjectValueCodec([new SecretSerializer()]), new ObjectValueCodec([new SecretSerializer()]));

        Assert.Equal(7, ((Secret)Travel(typeof(Secret), Secret.Of(7), here, there)!).Reveal());
        Assert.Equal(7, ((Secret)Travel(typeof(object), Secret.Of(7), here, there)!).Reveal());
        Assert.Equal([7, 8], ((List<Secret>)Travel(typeof(List<Secret>), new List<Secret> { Secret.Of(7), Secret.Of(8) }, here, there)!).Select(secret => secret.Reveal()));
    }

    [Theory]
    [MemberData(nameof(Untravelled))]
    public void Encode_Unserializable_ExceptionNamesArgumentTypeAndRemedy(Type type, object value, string typeName, string why)
    {
        var thrown = Assert.Throws<NotSerializableException>(() => new ObjectValueCodec([]).Encode(type, value, "argument 'x' of Demo.F"));

        Assert.StartsWith("Argument 'x' of Demo.F cannot be sent to another process.", thrown.Message, StringComparison.Ordinal);
        Assert.Contains($"of type {typeName}", thrown.Message, StringComparison.Ordinal);
        Assert.Contains(why, thrown.Message, StringComparison.Ordinal);
        Assert.Contains("Isolation.None", thrown.Message, StringComparison.Ordinal);
    }

    public static TheoryData<Type, object, string, string> Untravelled
    {
        get
        {
            var captured = Environment.ProcessId;
            Func<int> closure = () => captured;
            return new()
            {
                { typeof(Func<int>), closure, "Func<int>", "delegate" },
                { typeof(object), closure, "Func<int>", "delegate" },
                { typeof(object), closure.Target!, "<>c__DisplayClass", "closure" },
                { typeof(Stream), new MemoryStream(), "MemoryStream", "belongs to this process" },
                { typeof(Task<int>), Task.FromResult(1), "Task<int>", "operation of this process" },
                { typeof(WithCallback), new WithCallback("n", () => { }), "WithCallback", "its Callback is of type Action: a delegate" },
                { typeof(List<WithCallback>), new List<WithCallback> { new("n", null!), new("m", () => { }) }, "List<WithCallback>", "its [1].Callback is of type Action: a delegate" },
                { typeof(Dictionary<string, object>), new Dictionary<string, object> { ["k"] = new MemoryStream() }, "Dictionary<string, object>", "its [k] is of type MemoryStream: a stream" },
                { typeof(List<Action>), new List<Action>(), "List<Action>", "delegate" },
                { typeof(nint), (nint)1, "IntPtr", "pointer" },
                { typeof(Handle), new Handle(), "Handle", "pointer" },
                { typeof(CancellationToken), CancellationToken.None, "CancellationToken", "cancellation token" },
                { typeof(IAsyncEnumerable<int>), AsyncEnumerable.Range(0, 1), "", "" },
            };
        }
    }

    [Fact]
    public void Encode_ReferencesInValue_AreCountedIds()
    {
        var (cluster, peer, codec) = (new Clusters.DriverCluster(new()), new FakePeerReferenceResolver(), new ObjectValueCodec([]));
        var inner = cluster.Put(5);
        peer.Known[inner.Id.Number] = inner;
        var value = new WithRefs("r", inner, [inner]);

        var read = (WithRefs)Travel(typeof(WithRefs), value, codec, codec, peer)!;

        Assert.Same(inner, read.Many[0]);
        Assert.Same(inner, read.One);
        Assert.Equal(peer.Exported, peer.Adopted);
        Assert.NotEmpty(peer.Exported);
        Assert.Same(inner, Travel(typeof(ObjectRef<int>), inner, codec, codec, peer));
    }

    [Fact]
    public void EncodeObject_Twice_EncodesOnce()
    {
        var reference = new Clusters.DriverCluster(new()).Put("text");
        var codec = new ObjectValueCodec([]);

        Assert.Same(codec.EncodeObject(reference), codec.EncodeObject(reference));
    }

    [Fact]
    public void ToWire_ReferenceOfBaseType_KeepsActualType()
    {
        var reference = new Clusters.DriverCluster(new()).Put(new[] { 1.5 });
        var (codec, peer) = (new ObjectValueCodec([]), new FakePeerReferenceResolver());

        var wire = WireValueConverter.ToWire(codec.Encode(typeof(IReadOnlyList<double>), new Calls.ObjectRefArgument(reference), "it"), typeof(IReadOnlyList<double>), peer);

        Assert.Equal(new[] { 1.5 }, codec.Decode(WireValueConverter.FromWire(wire, typeof(IReadOnlyList<double>), codec, peer), typeof(IReadOnlyList<double>)));
    }

    private static object? Travel(Type type, object? value, ObjectValueCodec here, ObjectValueCodec there, FakePeerReferenceResolver? peer = null)
    {
        var wire = Wire.Value.Parser.ParseFrom(ToWire(here, type, value, peer ?? new()).ToByteArray());
        return there.Decode(WireValueConverter.FromWire(wire, type, there, peer ?? new()), type);
    }

    private static Wire.Value ToWire(ObjectValueCodec codec, Type type, object? value, FakePeerReferenceResolver peer) =>
        WireValueConverter.ToWire(codec.Encode(type, value, "it"), type, peer);

    public readonly record struct Point(double X, double Y);

    public readonly record struct Handle(nint Value);

    public sealed record Batch(string Name, float[] Data, int[,] Shape);

    public abstract record Animal(string Name);

    public sealed record Dog(string Name, int Age) : Animal(Name);

    public sealed record WithCallback(string Name, Action Callback);

    public sealed record WithRefs(string Name, ObjectRef<int> One, ImmutableArray<ObjectRef<int>> Many);

    public sealed class Secret
    {
        private int _hidden;

        public static Secret Of(int number) => new() { _hidden = number };

        public int Reveal() => _hidden;
    }

    private sealed class SecretSerializer : ValueSerializer<Secret>
    {
        public override void Serialize(Secret value, IBufferWriter<byte> output)
        {
            BinaryPrimitives.WriteInt32LittleEndian(output.GetSpan(4), value.Reveal());
            output.Advance(4);
        }

        public override Secret Deserialize(ReadOnlySpan<byte> bytes) => Secret.Of(BinaryPrimitives.ReadInt32LittleEndian(bytes));
    }
}
