using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using ModelMaker.Onnx;

namespace ModelMaker.Digits;

/// <summary>
/// Multinomial logistic regression on pictures of digits, trained with ML.NET. As a model: input <c>pixels</c> FP32 [N,64] from 0 to 16; outputs
/// <c>label</c> INT64 [N] and <c>probabilities</c> FP32 [N,10].
/// </summary>
public sealed class DigitClassifier
{
    private const int Classes = 10;
    private const int Features = DigitImage.Size * DigitImage.Size;

    private readonly MLContext context;
    private readonly ITransformer trained;
    private readonly MaximumEntropyModelParameters parameters;

    private DigitClassifier(MLContext context, ITransformer trained, MaximumEntropyModelParameters parameters) =>
        (this.context, this.trained, this.parameters) = (context, trained, parameters);

    /// <summary>What the committed model learned from.</summary>
    public static IReadOnlyList<DigitImage> TrainingImages() => new DigitPainter(seed: 1).Paint(4000);

    /// <summary>Pictures that it did not learn from.</summary>
    public static IReadOnlyList<DigitImage> TestImages() => new DigitPainter(seed: 2).Paint(1000);

    /// <summary>Learns from the given pictures. On processors of one kind the same pictures give the same classifier, to the bit.</summary>
    public static DigitClassifier Train(IReadOnlyList<DigitImage> images)
    {
        var context = new MLContext(seed: 1);
        var trainer = context.MulticlassClassification.Trainers.LbfgsMaximumEntropy(new LbfgsMaximumEntropyMulticlassTrainer.Options
        {
            FeatureColumnName = nameof(DigitRow.Pixels),
            LabelColumnName = nameof(DigitRow.Label),
            // The last bits depend on how many threads share the sums.
            NumberOfThreads = 1,
            L1Regularization = 0,
            L2Regularization = 1,
        });
        var trained = trainer.Fit(context.Data.LoadFromEnumerable(images.Select(DigitRow.From)));
        return new DigitClassifier(context, trained, trained.Model);
    }

    /// <summary>The share of pictures that ML.NET, not the exported model, gets right: 0 to 1.</summary>
    public double Accuracy(IReadOnlyList<DigitImage> images) =>
        images.Zip(Predict(images)).Count(pair => pair.First.Label == pair.Second.Label) / (double)images.Count;

    /// <summary>What ML.NET, not the exported model, says of the pictures.</summary>
    public IReadOnlyList<DigitPrediction> Predict(IReadOnlyList<DigitImage> images)
    {
        var answers = trained.Transform(context.Data.LoadFromEnumerable(images.Select(DigitRow.From)));
        return
        [
            .. context.Data.CreateEnumerable<DigitScore>(answers, reuseRowObject: false)
                .Select(score => new DigitPrediction((int)score.PredictedLabel - 1, score.Score)),
        ];
    }

    /// <summary>The classifier as an ONNX model.</summary>
    public OnnxGraph Export()
    {
        VBuffer<float>[] rows = [];
        parameters.GetWeights(ref rows, out var classes);
        var weights = new float[classes * Features];
        for (var label = 0; label < classes; label++)
            rows[label].CopyTo(weights.AsSpan(label * Features, Features));

        return new OnnxGraph("digits")
            .Describe("Which digit an 8 x 8 picture shows. Pixels are 0 (paper) to 16 (ink), row by row.", version: 1)
            .Property("labels", "0,1,2,3,4,5,6,7,8,9")
            .Property("trained_with", "ML.NET, L-BFGS maximum entropy")
            .Input("pixels", OnnxType.Float32, "N", Features)
            .Weights("weights", weights, classes, Features)
            .Weights("biases", [.. parameters.GetBiases()], classes)
            .Node("Gemm", ["pixels", "weights", "biases"], ["logits"], OnnxAttribute.Int("transB", 1))
            .Node("Softmax", ["logits"], ["probabilities"], OnnxAttribute.Int("axis", 1))
            .Node("ArgMax", ["logits"], ["label"], OnnxAttribute.Int("axis", 1), OnnxAttribute.Int("keepdims", 0))
            .Output("label", OnnxType.Int64, "N")
            .Output("probabilities", OnnxType.Float32, "N", Classes);
    }
}
