namespace Serve.Inference.Analysis.Tests;

/// <summary>Random graphs with fixed seeds: whatever is proven must be equal when ONNX Runtime runs it joined.</summary>
public sealed class RandomGraphTests
{
    private const int GraphCount = 3000;

    [Fact]
    public void Analyze_RandomGraphs_NoProofIsWrong()
    {
        Dictionary<(RowIndependenceVerdict, JoinOutcome), int> counts = [];
        List<string> wrong = [];
        for (var seed = 0; seed < GraphCount; seed++)
        {
            if (RandomGraph.Create(seed) is not var (model, inputs))
                continue;
            var result = RowIndependence.Analyze(model);
            // Refuted and unknown graphs are run now and then, to see that the graphs mix rows often enough to catch a wrong rule.
            if (result.Verdict != RowIndependenceVerdict.Proven && seed % 4 != 0)
                continue;
            var (outcome, detail) = JoinedRunOracle.Check(model, inputs, result.WholeOutputs);
            counts[(result.Verdict, outcome)] = counts.GetValueOrDefault((result.Verdict, outcome)) + 1;
            if (result.Verdict == RowIndependenceVerdict.Proven && outcome == JoinOutcome.Different)
                wrong.Add($"seed {seed}: {detail}");
        }

        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
        var proven = counts.GetValueOrDefault((RowIndependenceVerdict.Proven, JoinOutcome.Equal));
        var mixed = counts.Where(count => count.Key is (not RowIndependenceVerdict.Proven, JoinOutcome.Different)).Sum(count => count.Value);
        Assert.True(proven > GraphCount / 4 && mixed > 100, $"The graphs prove little: {string.Join(", ", counts)}");
    }

    [Fact]
    public void Analyze_DamagedFiles_NeverThrows()
    {
        var random = new Random(3);
        for (var seed = 0; seed < 300; seed++)
        {
            if (RandomGraph.Create(seed) is not var (model, _))
                continue;
            for (var index = 0; index < 3; index++)
                model[random.Next(model.Length)] = (byte)random.Next(256);
            RowIndependence.Analyze(model);
            RowIndependence.Analyze(model.AsMemory(0, random.Next(model.Length)));
        }
    }
}
