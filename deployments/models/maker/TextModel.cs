using ModelMaker.Onnx;

namespace ModelMaker;

/// <summary>
/// Sentiment of a text from its words and their frequencies. Inputs <c>word</c> STRING [N], in lower case, and <c>count</c> INT64 [N]; outputs
/// <c>sentiment</c> STRING [N] ("negative", "neutral" or "positive") and <c>score</c> FP32 [N] from -1 to 1. An unknown word is neutral.
/// </summary>
public static class TextModel
{
    /// <summary>Minimum distance from 0 of a score that is not neutral.</summary>
    public const float Threshold = 0.1f;

    /// <summary>Known words with their values from -2, negative, to 2, positive.</summary>
    public static IReadOnlyDictionary<string, float> Lexicon { get; } = new SortedDictionary<string, float>(StringComparer.Ordinal)
    {
        ["amazing"] = 2, ["awesome"] = 2, ["best"] = 2, ["brilliant"] = 2, ["excellent"] = 2, ["love"] = 2, ["perfect"] = 2, ["wonderful"] = 2,
        ["beautiful"] = 1.5f, ["delightful"] = 1.5f, ["enjoy"] = 1.5f, ["great"] = 1.5f, ["happy"] = 1.5f, ["impressive"] = 1.5f,
        ["clean"] = 1, ["easy"] = 1, ["fast"] = 1, ["friendly"] = 1, ["good"] = 1, ["helpful"] = 1, ["like"] = 1, ["nice"] = 1, ["recommend"] = 1,
        ["fine"] = 0.5f, ["okay"] = 0.5f, ["solid"] = 0.5f, ["works"] = 0.5f,
        ["cheap"] = -0.5f, ["lacks"] = -0.5f, ["slow"] = -0.5f, ["strange"] = -0.5f,
        ["annoying"] = -1, ["bad"] = -1, ["boring"] = -1, ["confusing"] = -1, ["difficult"] = -1, ["dirty"] = -1, ["noisy"] = -1, ["poor"] = -1,
        ["angry"] = -1.5f, ["broken"] = -1.5f, ["disappointing"] = -1.5f, ["fails"] = -1.5f, ["rude"] = -1.5f, ["ugly"] = -1.5f, ["useless"] = -1.5f,
        ["awful"] = -2, ["garbage"] = -2, ["hate"] = -2, ["horrible"] = -2, ["terrible"] = -2, ["worst"] = -2,
    };

    public static OnnxGraph Build()
    {
        // Entry 0 is for unknown words.
        float[] valences = [0, .. Lexicon.Values];

        return new OnnxGraph("text")
            .Describe("How the words of a text feel: negative, neutral or positive.", version: 1)
            .Property("words", $"{Lexicon.Count}")
            .Input("word", OnnxType.String, "N")
            .Input("count", OnnxType.Int64, "N")
            .Weights("valences", valences, valences.Length)
            .Weights("upper", [Threshold])
            .Weights("lower", [-Threshold])
            .MachineLearningNode("LabelEncoder", ["word"], ["index"],
                OnnxAttribute.Texts("keys_strings", Lexicon.Keys),
                OnnxAttribute.Ints("values_int64s", [.. Enumerable.Range(1, Lexicon.Count)]),
                OnnxAttribute.Int("default_int64", 0))
            .Node("Gather", ["valences", "index"], ["valence"])
            .Node("Cast", ["count"], ["weight"], OnnxAttribute.Int("to", (int)OnnxType.Float32))
            .Node("Mul", ["valence", "weight"], ["feeling"])
            .Node("Tanh", ["feeling"], ["score"])
            .Node("Greater", ["score", "upper"], ["is_positive"])
            .Node("Less", ["score", "lower"], ["is_negative"])
            .Node("Cast", ["is_positive"], ["positive"], OnnxAttribute.Int("to", (int)OnnxType.Int64))
            .Node("Cast", ["is_negative"], ["negative"], OnnxAttribute.Int("to", (int)OnnxType.Int64))
            .Node("Sub", ["positive", "negative"], ["class"])
            .MachineLearningNode("LabelEncoder", ["class"], ["sentiment"],
                OnnxAttribute.Ints("keys_int64s", -1, 0, 1),
                OnnxAttribute.Texts("values_strings", ["negative", "neutral", "positive"]),
                OnnxAttribute.Text("default_string", "neutral"))
            .Output("sentiment", OnnxType.String, "N")
            .Output("score", OnnxType.Float32, "N");
    }
}
