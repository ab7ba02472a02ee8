namespace Serve.Experiments.Tests;

public sealed class MetricValuesTests
{
    [Fact]
    public void From_ObjectOrDictionary_HasItsNumbers()
    {
        var metrics = MetricValues.From(new { loss = 0.5f, epoch = 3, done = true });

        Assert.Equal([new("loss", 0.5), new("epoch", 3), new("done", 1)], metrics);
        Assert.Equal(metrics, MetricValues.From(new Dictionary<string, object> { ["loss"] = 0.5, ["epoch"] = 3L, ["done"] = true }));
        Assert.Equal(1.5, MetricValues.From(new Dictionary<string, double> { ["x"] = 1.5 })["x"]);
    }

    [Fact]
    public void From_NotNumbers_ThrowsWithTheName()
    {
        Assert.Contains("Metric 'name' must be a number or a boolean, but was of type String.", Assert.Throws<ArgumentException>(() => MetricValues.From(new { name = "x" })).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => MetricValues.From("text"));
        Assert.Throws<ArgumentException>(() => MetricValues.From(new[] { 1, 2 }));
        Assert.Throws<ArgumentException>(() => MetricValues.From(new object()));
    }

    [Fact]
    public void Indexer_MissingMetric_SuggestsTheNearest() =>
        Assert.Contains("Metric 'val_los' was not reported. Did you mean 'val_loss'? Reported: loss, val_loss.",
            Assert.Throws<KeyNotFoundException>(() => MetricValues.From(new { loss = 1, val_loss = 2 })["val_los"]).Message, StringComparison.Ordinal);
}
