using Microsoft.ML.OnnxRuntime;
using ModelMaker.Digits;

namespace Serve.Models.Tests;

/// <summary>The trained classifier: in ML.NET, exported, and as committed.</summary>
public sealed class DigitClassifierTests(DigitClassifierTests.TrainedClassifierFixture trained) : IClassFixture<DigitClassifierTests.TrainedClassifierFixture>
{
    [Fact]
    public void Train_CommittedImages_AccuracyAbove95Percent() =>
        Assert.InRange(trained.Classifier.Accuracy(trained.TestImages), 0.95, 1);

    [Fact]
    public void Paint_TrainingAndTestImages_AreDisjoint()
    {
        var known = DigitClassifier.TrainingImages().Select(image => string.Join(',', image.Pixels)).ToHashSet();

        Assert.DoesNotContain(trained.TestImages, image => known.Contains(string.Join(',', image.Pixels)));
    }

    [Fact]
    public void Export_OnnxRuntime_AgreesWithMlNet()
    {
        using var folder = new TemporaryTestFolder();
        trained.Classifier.Export().Save(folder.In("digits.onnx"));
        using var model = OnnxTestSession.Open(folder.In("digits.onnx"));

        var ours = Predict(model, trained.TestImages);
        var theirs = trained.Classifier.Predict(trained.TestImages);

        Assert.Equal(1000, theirs.Count);
        foreach (var (our, their) in ours.Zip(theirs))
        {
            Assert.Equal(their.Label, our.Label);
            foreach (var (a, b) in their.Probabilities.Zip(our.Probabilities))
                Assert.Equal(a, b, 1e-4f);
        }
    }

    [Fact]
    public void Train_Repeated_ProducesSameBytes() =>
        Assert.Equal(trained.Classifier.Export().ToArray(), DigitClassifier.Train(DigitClassifier.TrainingImages()).Export().ToArray());

    [Fact]
    public void Committed_TestImages_AgreesWithNewlyTrainedModel()
    {
        using var model = OnnxTestSession.Committed("digits");

        var committed = Predict(model, trained.TestImages);
        var here = trained.Classifier.Predict(trained.TestImages);

        // Other processors sum in another order, so the optimizer stops at slightly different weights.
        Assert.InRange(committed.Zip(here).Count(pair => pair.First.Label == pair.Second.Label), 998, 1000);
        Assert.InRange(committed.Zip(here).Max(pair => pair.First.Probabilities.Zip(pair.Second.Probabilities, (a, b) => Math.Abs(a - b)).Max()), 0, 0.02);
    }

    [Fact]
    public void Committed_HandDrawnDigit_Classified()
    {
        using var model = OnnxTestSession.Committed("digits");

        var answer = Assert.Single(Predict(model, [Drawn(7,
            "########",
            "#######.",
            ".....##.",
            "....##..",
            "....##..",
            "...##...",
            "...##...",
            "........")]));

        Assert.Equal(7, answer.Label);
        Assert.Equal(1, answer.Probabilities.Sum(), 1e-5f);
    }

    [Fact]
    public void Committed_EmptyBatch_ReturnsEmptyOutputs()
    {
        using var model = OnnxTestSession.Committed("digits");

        Assert.Empty(Predict(model, []));
    }

    [Fact]
    public void Committed_WrongWidth_NamesInput()
    {
        using var model = OnnxTestSession.Committed("digits");

        var refused = Assert.Throws<OnnxRuntimeException>(() => model.Run(("pixels", OnnxTestSession.Tensor(new float[63], 1, 63))));
        Assert.Contains("pixels", refused.Message, StringComparison.Ordinal);
    }

    private static DigitPrediction[] Predict(OnnxTestSession model, IReadOnlyList<DigitImage> images)
    {
        var pixels = images.SelectMany(image => image.Pixels).ToArray();
        using var answer = model.Run(("pixels", OnnxTestSession.Tensor(pixels, images.Count, 64)));
        var probabilities = answer.Values<float>("probabilities");
        return [.. answer.Values<long>("label").Select((label, i) => new DigitPrediction((int)label, probabilities[(i * 10)..(i * 10 + 10)]))];
    }

    private static DigitImage Drawn(int label, params string[] rows) =>
        new([.. rows.SelectMany(row => row).Select(pixel => pixel == '#' ? (float)DigitImage.Ink : 0)], label);

    public sealed class TrainedClassifierFixture
    {
        public DigitClassifier Classifier { get; } = DigitClassifier.Train(DigitClassifier.TrainingImages());

        public IReadOnlyList<DigitImage> TestImages { get; } = DigitClassifier.TestImages();
    }
}
