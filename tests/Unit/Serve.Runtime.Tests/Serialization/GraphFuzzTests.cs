using Google.Protobuf;
using Serve.Runtime.Serialization;
using Serve.Runtime.TestWorker.Values;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Tests.Serialization;

/// <summary>Random graphs of objects arrive isomorphic; damaged messages are rejected without a crash.</summary>
public sealed class GraphFuzzTests
{
    private const int Graphs = 3000;

    [Fact]
    public void Decode_RandomGraphs_AreIsomorphic()
    {
        var (here, there) = (new ObjectValueCodec([]), new ObjectValueCodec([]));
        for (var seed = 0; seed < Graphs; seed++)
        {
            var value = Create(new Random(seed));

            var read = there.Decode(Send(here, there, value), typeof(Vertex));

            Assert.True(ValueComparison.Find(value, read) is null, $"seed {seed}: {ValueComparison.Find(value, read)}");
            Assert.True(Shape(value).SequenceEqual(Shape((Vertex)read!)), $"seed {seed}: references are shared differently");
        }
    }

    [Fact]
    public void Decode_DamagedMessages_AreRejectedOrValues()
    {
        var (here, there) = (new ObjectValueCodec([]), new ObjectValueCodec([]));
        var rejected = 0;
        for (var seed = 0; seed < Graphs; seed++)
        {
            var random = new Random(seed);
            var bytes = ((InlineEncodedObject)here.Encode(typeof(Vertex), Create(random), "the value")).Bytes.ToArray();
            for (var damage = random.Next(1, 4); damage > 0; damage--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            var length = random.Next(4) == 0 ? random.Next(bytes.Length) : bytes.Length;
            try
            {
                there.Decode(new InlineEncodedObject(there, new(EncodedValueFormat.Graph, typeof(Vertex)), bytes.AsMemory(0, length)), typeof(Vertex));
            }
            catch (NotSerializableException)
            {
                rejected++;
            }
        }

        Assert.InRange(rejected, Graphs / 4, Graphs);
    }

    private static EncodedObject Send(ObjectValueCodec here, ObjectValueCodec there, Vertex value)
    {
        var peer = new FakePeerReferenceResolver();
        var wire = Wire.Value.Parser.ParseFrom(WireValueConverter.ToWire(here.Encode(typeof(Vertex), value, "the value"), typeof(Vertex), peer).ToByteArray());
        return WireValueConverter.FromWire(wire, typeof(Vertex), there, peer);
    }

    private static Vertex Create(Random random)
    {
        var all = Enumerable.Range(0, random.Next(1, 20)).Select(index => random.Next(2) == 0 ? new Vertex { Name = $"n{index}" } : new NamedVertex { Name = $"m{index}", Label = "é" }).ToArray();
        Vertex Any() => all[random.Next(all.Length)];
        foreach (var vertex in all)
        {
            vertex.Next = random.Next(3) == 0 ? null : Any();
            vertex.Anything = random.Next(6) switch { 0 => 5, 1 => "text", 2 => Any(), 3 => new object?[] { Any(), null, 2.5 }, 4 => (Any(), DayOfWeek.Friday), _ => null };
            for (var count = random.Next(3); count > 0; count--)
                vertex.Edges.Add(Any());
            for (var count = random.Next(3); count > 0; count--)
                vertex.Weights[Any()] = random.Next();
            for (var count = random.Next(3); count > 0; count--)
                vertex.Known.Add(Any());
            vertex.Numbers = [.. Enumerable.Range(0, random.Next(5)).Select(_ => random.NextDouble())];
        }

        return all[0];
    }

    /// <summary>The vertices in the order of their discovery, each reference as the position of its vertex.</summary>
    private static List<int> Shape(Vertex root)
    {
        var positions = new Dictionary<Vertex, int>(ReferenceEqualityComparer.Instance);
        var (order, shape) = (new Queue<Vertex>(), new List<int>());
        int Position(Vertex vertex)
        {
            if (positions.TryAdd(vertex, positions.Count))
                order.Enqueue(vertex);
            return positions[vertex];
        }

        Position(root);
        while (order.TryDequeue(out var vertex))
        {
            shape.Add(vertex.Next is { } next ? Position(next) : -1);
            shape.AddRange(vertex.Edges.Select(Position));
            shape.AddRange(vertex.Weights.SelectMany(weight => new[] { Position(weight.Key), weight.Value }));
            shape.AddRange(vertex.Known.Select(Position));
            shape.Add(vertex.Anything is Vertex other ? Position(other) : vertex.Anything is object?[] { Length: > 0 } items ? Position((Vertex)items[0]!) : vertex.Anything is (Vertex inside, DayOfWeek) ? Position(inside) : -2);
        }

        return shape;
    }

    private class Vertex
    {
        public string Name { get; init; } = "";

        public Vertex? Next { get; set; }

        public object? Anything { get; set; }

        public List<Vertex> Edges { get; } = [];

        public Dictionary<Vertex, int> Weights { get; } = [];

        public HashSet<Vertex> Known { get; } = [];

        public double[] Numbers { get; set; } = [];
    }

    private sealed class NamedVertex : Vertex
    {
        public string Label { get; init; } = "";
    }
}
