using CsCheck;
using Serve.Tuning.Searchers;
using Serve.Tuning.Spaces;

namespace Serve.Tuning.Tests.Spaces;

public sealed class ParamSpaceTests
{
    [Fact]
    public void Study_InvalidSpace_ReportsAllParametersWithTheirPaths()
    {
        var message = Assert.Throws<ArgumentException>(() => new Study(new ParamSpace
        {
            ["a"] = Tune.Uniform(1, 0),
            ["b"] = new ParamSpace { ["lr"] = Tune.LogUniform(0, 1), ["c"] = Tune.Choice() },
            ["d"] = Tune.QUniform(0, 1, 2),
            ["e"] = Tune.QUniform(0, 1, 0),
            ["f"] = Tune.When("missing", 1, Tune.Uniform(0, 1)),
            ["g"] = Tune.Randn(0, 0),
            ["h"] = Tune.Choice("x", "y"),
            ["i"] = Tune.When("h", "z", Tune.Uniform(0, 1)),
            ["j"] = Tune.Uniform(0, double.PositiveInfinity),
        })).Message;

        Assert.All(
        [
            "a: low must be less than high, but was 1 with high 0", "b/lr: low must be positive for a logarithmic distribution, but was 0", "b/c: Choice must have at least one value",
            "d: q must be positive and at most high - low, but was 2", "e: q must be positive", "f: 'missing' must be a Choice", "g: the mean must be finite and the standard deviation positive",
            "i: z must be a value of 'h'", "j: bounds must be finite",
        ], expected => Assert.Contains(expected, message, StringComparison.Ordinal));
        Assert.Throws<ArgumentException>(() => new ParamSpace { ["a/b"] = 1 });
    }

    [Fact]
    public void Sample_AllDistributions_StayWithinTheirRules()
    {
        var space = new ParamSpace
        {
            ["uniform"] = Tune.Uniform(-2, 3), ["quniform"] = Tune.QUniform(0.1, 1, 0.25), ["loguniform"] = Tune.LogUniform(1e-5, 1e-1), ["qloguniform"] = Tune.QLogUniform(1, 1000, 5),
            ["randn"] = Tune.Randn(10, 2), ["qrandn"] = Tune.QRandn(0, 1, 0.5), ["randint"] = Tune.RandInt(1, 4), ["qrandint"] = Tune.QRandInt(0, 10, 5), ["lograndint"] = Tune.LogRandInt(1, 100),
            ["qlograndint"] = Tune.QLogRandInt(8, 64, 8), ["choice"] = Tune.Choice("a", "b"), ["constant"] = 7, ["double"] = Tune.SampleFrom(values => values.Get<int>("randint") * 2),
        };
        var study = new Study(space, new BasicVariantSearch(seed: 1));
        var points = Enumerable.Range(0, 500).Select(_ => study.Ask()!.Params).ToArray();

        Assert.All(points, point =>
        {
            Assert.InRange(point.Get<double>("uniform"), -2, 3);
            Assert.InRange(point.Get<double>("quniform"), 0.1, 1);
            Assert.Equal(0, point.Get<double>("quniform") % 0.25, 9);
            Assert.InRange(point.Get<double>("loguniform"), 1e-5, 1e-1);
            Assert.InRange(point.Get<double>("qloguniform"), 1, 1000);
            Assert.Equal(0, point.Get<double>("qrandn") % 0.5, 9);
            Assert.Equal(point.Get<int>("randint") * 2, point["double"]);
            Assert.Equal(7, point["constant"]);
        });
        Assert.Equal([1, 2, 3], Distinct("randint"));
        Assert.Equal([0, 5, 10], Distinct("qrandint"));
        Assert.Equal([8, 16, 24, 32, 40, 48, 56, 64], Distinct("qlograndint"));
        Assert.Equal(1, Distinct("lograndint").Min());
        Assert.InRange(points.Average(point => Math.Log10(point.Get<double>("loguniform"))), -3.2, -2.8);
        Assert.InRange(points.Average(point => point.Get<double>("randn")), 9.7, 10.3);

        int[] Distinct(string name) => [.. points.Select(point => point.Get<int>(name)).Distinct().Order()];
    }

    [Fact]
    public void ToUnit_AnyValue_IsTheInverseOfFromUnit() =>
        Gen.Select(Gen.Double[-5, 5], Gen.Double[0.1, 10], Gen.Double[0, 1]).Sample((low, width, position) =>
        {
            foreach (var domain in new ScalarDomain[]
            {
                new NumericDomain(low, low + width), new NumericDomain(Math.Abs(low) + 0.1, Math.Abs(low) + 0.1 + width) { IsLog = true }, new NumericDomain(-3, 12) { IsInteger = true },
                new NumericDomain(1, 200) { IsInteger = true, IsLog = true }, new NumericDomain(0, 10) { Quantum = 0.5 }, new NormalDomain(low, width),
            })
            {
                var value = domain.FromUnit(position);
                Assert.Equal(Convert.ToDouble(value), Convert.ToDouble(domain.FromUnit(domain.ToUnit(value))), 1e-5 * Math.Max(1, width));
            }
        });

    [Fact]
    public void ParamValues_Nested_IsReadAsRecord()
    {
        var values = new ParamValues([new("lr", 0.1), new("layers", 3), new("optimizer/name", "sgd"), new("optimizer/momentum", 0.9)]);

        Assert.Equal("""{"lr":0.1,"layers":3,"optimizer":{"name":"sgd","momentum":0.9}}""", values.ToJson().GetRawText());
        Assert.Equal(new Settings(0.1, 3, new OptimizerSettings("sgd", 0.9)), values.As<Settings>());
        Assert.Contains("Did you mean 'lr'?", Assert.Throws<KeyNotFoundException>(() => values["lrr"]).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void When_ConditionFails_ParameterIsAbsent()
    {
        var study = new Study(new ParamSpace { ["opt"] = Tune.Choice("sgd", "adam"), ["momentum"] = Tune.When("opt", "sgd", Tune.Uniform(0, 1)) }, new BasicVariantSearch(seed: 3));
        var points = Enumerable.Range(0, 50).Select(_ => study.Ask()!.Params).ToArray();

        Assert.All(points, point => Assert.Equal((string)point["opt"] == "sgd", point.ContainsKey("momentum")));
        Assert.Equal(2, points.Select(point => point["opt"]).Distinct().Count());
    }

    private sealed record OptimizerSettings(string Name, double Momentum);

    private sealed record Settings(double Lr, int Layers, OptimizerSettings Optimizer);
}
