using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Trainers;
using ModelMaker.Onnx;

namespace ModelMaker.Digits;

/// <summary>
/// Multinomial logistic regression on images of digits, trained with ML.NET. As a model: input <c>pixels</c> FP32 [N,64] from 0 to 16; outputs
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

    /// <summary>Training images of the committed model.</summary>
    public static IReadOnlyList<DigitImage> TrainingImages() => new DigitPainter(seed: 1).Paint(4000);

    /// <summary>Test images, disjoint from the training images.</summary>
    public static IReadOnlyList<DigitImage> TestImages() => new DigitPainter(seed: 2).Paint(1000);

    /// <summary>Trains on the images. On the same type of processor, the same images produce a bit-identical classifier.</summary>
    public static DigitClassifier Train(IReadOnlyList<DigitImage> images)
    {
        var context = new MLContext(seed: 1);
        var trainer = context.MulticlassClassification.Trainers.LbfgsMaximumEntropy(new LbfgsMaximumEntropyMulticlassTrainer.Options
        {
            FeatureColumnName = nameof(DigitRow.Pixels),
            LabelColumnName = nameof(DigitRow.Label),
            // The last bits depend on the number of threads.
            NumberOfThreads = 1,
            L1Regularization = 0,
            L2Regularization = 1,
        });
        var trained = trainer.Fit(context.Data.LoadFromEnumerable(images.Select(DigitRow.From)));
        return new DigitClassifier(context, trained, trained.Model);
    }

    /// <summary>Share of images that ML.NET, not the exported model, classifies correctly: 0 to 1.</summary>
    public double Accuracy(IReadOnlyList<DigitImage> images) =>
        images.Zip(Predict(images)).Count(pair => pair.First.Label == pair.Second.Label) / (double)images.Count;

    /// <summary>Classifies images with ML.NET, not with the exported model.</summary>
    public IReadOnlyList<DigitPrediction> Predict(IReadOnlyList<DigitImage> images)
    {
        var answers = trained.Transform(context.Data.LoadFromEnumerable(images.Select(DigitRow.From)));
        return
        [
            .. context.Data.CreateEnumerable<DigitScore>(answers, reuseRowObject: false)
                .Select(score => new DigitPrediction((int)score.PredictedLabel - 1, score.Score)),
        ];
    }

    /// <summary>Exports the classifier as an ONNX model.</summary>
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
