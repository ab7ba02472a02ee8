using System.Text.Json;
using Serve.Experiments.Progress;
using Spectre.Console;

namespace Serve.Experiments.Tests.Progress;

public sealed class ProgressTableTests
{
    private static readonly ExperimentState State = ExperimentState.From(
    [
        new TrialAdded("a", JsonSerializer.SerializeToElement(new { lr = 0.125, opt = "[sgd]" })), new TrialAdded("b", JsonSerializer.SerializeToElement(new { lr = 0.5, opt = "adam" })),
        new TrialAdded("c", JsonSerializer.SerializeToElement(new { lr = 1, opt = "adam" })), new TrialStateChanged("a", TrialState.Running), new TrialStateChanged("b", TrialState.Terminated),
        new TrialReported("a", 3, 1.25, MetricValues.From(new { loss = double.NaN })), new TrialReported("b", 4, 2, MetricValues.From(new { loss = 0.75 })),
    ]);

    [Fact]
    public void Rows_TrialsWithNaN_MarksTheBest()
    {
        var rows = ProgressTable.Rows(State, "loss", ScoreOrder.Min);

        Assert.Equal(["b"], rows.Where(row => row.IsBest).Select(row => row.TrialId));
        Assert.Equal("3 trials: 1 pending, 1 running, 1 terminated; best loss 0.75 (b: lr=0.5, opt=adam)", ProgressTable.Line(rows, "loss"));
        Assert.Equal("0 trials: ", ProgressTable.Line(ProgressTable.Rows(new ExperimentState(), "loss", ScoreOrder.Max), "loss"));
    }

    [Fact]
    public void JsonLines_Rows_AreObjects()
    {
        var lines = ProgressTable.JsonLines(ProgressTable.Rows(State, "loss", ScoreOrder.Min)).TrimEnd('\n').Split('\n').Select(line => JsonDocument.Parse(line).RootElement).ToArray();

        Assert.Equal(["a", "b", "c"], lines.Select(line => line.GetProperty("trial").GetString()));
        Assert.Equal(JsonValueKind.Null, lines[0].GetProperty("metric").ValueKind);
        Assert.True(lines[1].GetProperty("best").GetBoolean());
    }

    [Fact]
    public void Table_Rows_ContainsParametersWithBrackets()
    {
        using var output = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output), Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
        console.Profile.Width = 120;

        console.Write(ProgressTable.Table(ProgressTable.Rows(State, "loss", ScoreOrder.Min), "loss"));

        Assert.Contains("lr=0.125, opt=[sgd]", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("* b", output.ToString(), StringComparison.Ordinal);
    }
}
