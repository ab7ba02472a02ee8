using ModelMaker;

namespace Serve.Models.Tests;

public sealed class TextModelTests
{
    [Fact]
    public void Committed_KnownWords_MatchReference()
    {
        using var model = OnnxTestSession.Committed("text");
        var cases = TextModel.Lexicon.Keys.Append("table").Append("").Append("größer").SelectMany(word => new[] { (word, 0L), (word, 1L), (word, 7L) }).ToArray();

        using var answer = model.Run(
            ("word", OnnxTestSession.Texts([.. cases.Select(c => c.word)])),
            ("count", OnnxTestSession.Tensor(cases.Select(c => c.Item2).ToArray(), cases.Length)));

        var (scores, sentiments) = (answer.Values<float>("score"), answer.Texts("sentiment"));
        Assert.Equal(cases.Length, scores.Length);
        Assert.Equal(cases.Length, sentiments.Length);
        for (var i = 0; i < cases.Length; i++)
        {
            var (word, count) = cases[i];
            var expected = MathF.Tanh(TextModel.Lexicon.GetValueOrDefault(word) * count);
            Assert.Equal(expected, scores[i], 1e-5f);
            Assert.Equal(expected > 0.1f ? "positive" : expected < -0.1f ? "negative" : "neutral", sentiments[i]);
        }
    }

    [Theory]
    [InlineData("great", 1, "positive", 0.905)]
    [InlineData("slow", 2, "negative", -0.762)]
    [InlineData("table", 3, "neutral", 0)]
    public void Committed_OneWord_HasExpectedSentiment(string word, long count, string sentiment, float score)
    {
        using var model = OnnxTestSession.Committed("text");

        using var answer = model.Run(("word", OnnxTestSession.Texts(word)), ("count", OnnxTestSession.Tensor([count], 1)));

        Assert.Equal([sentiment], answer.Texts("sentiment"));
        Assert.Equal(score, Assert.Single(answer.Values<float>("score")), 1e-3f);
    }

    [Fact]
    public void Committed_NoWords_ReturnsEmptyOutputs()
    {
        using var model = OnnxTestSession.Committed("text");

        using var answer = model.Run(("word", OnnxTestSession.Texts()), ("count", OnnxTestSession.Tensor(Array.Empty<long>(), 0)));

        Assert.Empty(answer.Texts("sentiment"));
        Assert.Empty(answer.Values<float>("score"));
    }
}
