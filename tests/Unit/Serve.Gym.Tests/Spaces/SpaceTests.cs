using System.Text.Json;
using Serve.Rl.Spaces;

namespace Serve.Rl.Tests.Spaces;

public sealed class SpaceTests
{
    private static readonly JsonElement Golden = GoldenFile.Read("random");

    [Fact]
    public void Sample_DiscreteWithSeed_EqualsGymnasium() => Assert.Equal(Golden.GetProperty("discrete").Integers(), Draw(new Discrete(7, start: -2)));

    [Fact]
    public void Sample_DiscreteWithMask_EqualsGymnasium()
    {
        var space = new Discrete(6);
        space.Seed(4);

        Assert.Equal(Golden.GetProperty("masked").Integers(), Enumerable.Range(0, 12).Select(_ => space.Sample([false, true, false, true, true, false])));
    }

    [Fact]
    public void Sample_BoundedBoxWithSeed_EqualsGymnasium() =>
        Assert.Equal(Golden.GetProperty("box").EnumerateArray().Select(GoldenFile.Floats), Draw(new Box([-1, 0], [1, 5])));

    [Fact]
    public void Sample_MultiDiscreteWithSeed_EqualsGymnasium() =>
        Assert.Equal(Golden.GetProperty("multiDiscrete").EnumerateArray().Select(GoldenFile.Integers), Draw(new MultiDiscrete(3, 4, 11)));

    [Fact]
    public void Sample_MultiBinaryWithSeed_EqualsGymnasium() =>
        Assert.Equal(Golden.GetProperty("multiBinary").EnumerateArray().Select(row => row.Integers().Select(bit => bit == 1).ToArray()), Draw(new MultiBinary(9)));

    [Fact]
    public void Sample_TupleWithSeed_EqualsGymnasium() =>
        Assert.Equal(Golden.GetProperty("tuple").EnumerateArray().Select(GoldenFile.Integers), Draw(new TupleSpace(new Discrete(5), new Discrete(9))).Select(row => row.Cast<int>().ToArray()));

    [Fact]
    public void Sample_DictWithSeed_EqualsGymnasium() =>
        Assert.Equal(Golden.GetProperty("dict").EnumerateArray().Select(GoldenFile.Integers), Draw(new DictSpace(("b", new Discrete(9)), ("a", new Discrete(5)))).Select(row => new[] { (int)row["a"], (int)row["b"] }));

    public static TheoryData<Space> AllSpaces =>
    [
        new Discrete(3, start: 4), new Box(-1, float.PositiveInfinity, 2, 3), new Box(float.NegativeInfinity, 0, 1), new Box(float.NegativeInfinity, float.PositiveInfinity, 2), new MultiDiscrete(2, 5),
        new MultiBinary(4), new TupleSpace(new Discrete(2), new Box(0, 1, 2)), new DictSpace(("x", new MultiBinary(3)), ("y", new Discrete(4))),
    ];

    [Theory]
    [MemberData(nameof(AllSpaces))]
    public void Sample_AnySpace_IsContainedAndFlattens(Space space)
    {
        space.Seed(1);
        var target = new float[space.FlatSize];
        for (var i = 0; i < 50; i++)
        {
            var sample = space.Sample();

            Assert.True(space.Contains(sample), $"{space}: {Space.Describe(sample)}");
            space.Flatten(sample, target);
            Assert.All(target, value => Assert.True(float.IsFinite(value)));
        }

        Assert.False(space.Contains(null));
        Assert.False(space.Contains("text"));
        Assert.Throws<ArgumentException>(() => space.Flatten("text", target));
        Assert.Throws<ArgumentException>(() => space.Flatten(space.Sample(), new float[space.FlatSize + 1]));
    }

    [Fact]
    public void Flatten_Composite_WritesPartsInOrder()
    {
        var space = new TupleSpace(new Discrete(3, start: 1), new DictSpace(("x", new Box(0, 9, 2)), ("y", new MultiDiscrete(2, 2))));
        var target = new float[space.FlatSize];

        space.Flatten([2, new Dictionary<string, object> { ["x"] = new float[] { 5, 6 }, ["y"] = new[] { 1, 0 } }], target);

        Assert.Equal([0, 1, 0, 5, 6, 0, 1, 1, 0], target);
    }

    [Fact]
    public void Contains_ValueOutside_IsFalse()
    {
        Assert.False(new Discrete(3).Contains(3));
        Assert.False(new Discrete(3).Contains(-1));
        Assert.False(new Box(0, 1, 2).Contains([0.5f, 1.5f]));
        Assert.False(new Box(0, 1, 2).Contains([0.5f, float.NaN]));
        Assert.False(new Box(0, 1, 2).Contains([0.5f]));
        Assert.False(new MultiDiscrete(2, 2).Contains([0, 2]));
        Assert.False(new DictSpace(("x", new Discrete(2))).Contains(new Dictionary<string, object> { ["y"] = 1 }));
    }

    [Fact]
    public void Constructor_InvalidBounds_ThrowsWithValues()
    {
        Assert.Contains("at least 1, but was 0", Assert.Throws<ArgumentOutOfRangeException>(() => new Discrete(0)).Message, StringComparison.Ordinal);
        Assert.Contains("element 1 was low 2, high 1", Assert.Throws<ArgumentException>(() => new Box([0, 2], [1, 1])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new Box(float.NaN, 1, 2));
        Assert.Throws<ArgumentException>(() => new Box(0, 1, 2, 0));
        Assert.Throws<ArgumentException>(() => new Box([0], [1, 1]));
        Assert.Throws<ArgumentException>(() => new MultiDiscrete(2, 0));
        Assert.Throws<ArgumentException>(() => new TupleSpace());
        Assert.Throws<ArgumentException>(() => new DictSpace(("x", new Discrete(2)), ("x", new Discrete(2))));
        Assert.Throws<ArgumentException>(() => new Discrete(2).Sample([true]));
    }

    private static T[] Draw<T>(Space<T> space)
        where T : notnull
    {
        space.Seed(4);
        return [.. Enumerable.Range(0, 12).Select(_ => space.Sample())];
    }
}
