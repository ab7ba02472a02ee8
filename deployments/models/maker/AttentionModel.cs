using ModelMaker.Onnx;

namespace ModelMaker;

/// <summary>
/// Attention that pools a sequence of any length into one vector. Inputs <c>tokens</c> FP32 [batch,sequence,16] and <c>mask</c> INT64
/// [batch,sequence], 0 for padding; outputs <c>embedding</c> FP32 [batch,8] and <c>attention</c> FP32 [batch,sequence], the weight of each
/// token. The weight of padding is 0, whatever its content; a sequence that consists of padding only returns the biases. The weights are random.
/// </summary>
public sealed class AttentionModel
{
    /// <summary>Length of a token.</summary>
    public const int Width = 16;

    /// <summary>Length of the embedding.</summary>
    public const int EmbeddingWidth = 8;

    public AttentionModel(ulong seed = 1)
    {
        var random = new SeededRandom(seed);
        Query = random.Weights(Width, Width);
        Projection = random.Weights(Width * EmbeddingWidth, Width);
        Biases = random.Spread(EmbeddingWidth, 0.1);
    }

    /// <summary>Query vector: [16].</summary>
    public IReadOnlyList<float> Query { get; }

    /// <summary>Projection of the pooled token to the embedding: [16,8], row by row.</summary>
    public IReadOnlyList<float> Projection { get; }

    /// <summary>Biases of the embedding: [8].</summary>
    public IReadOnlyList<float> Biases { get; }

    public OnnxGraph Build() => new OnnxGraph("attention")
        .Describe("Pools the tokens of each sequence into one vector by attention; masked tokens do not count.", version: 1)
        .Input("tokens", OnnxType.Float32, "batch", "sequence", Width)
        .Input("mask", OnnxType.Int64, "batch", "sequence")
        .Weights("query", [.. Query], Width, 1)
        .Weights("projection", [.. Projection], Width, EmbeddingWidth)
        .Weights("biases", [.. Biases], EmbeddingWidth)
        .Weights("zero", [0f])
        .Weights("never", [-1e9f])
        .Weights("last", [2L], 1)
        .Weights("middle", [1L], 1)
        .Node("Cast", ["mask"], ["counts"], OnnxAttribute.Int("to", (int)OnnxType.Bool))
        .Node("Unsqueeze", ["counts", "last"], ["token_counts"])
        .Node("Where", ["token_counts", "tokens", "zero"], ["clean"])
        .Node("MatMul", ["clean", "query"], ["column"])
        .Node("Squeeze", ["column", "last"], ["scores"])
        .Node("Where", ["counts", "scores", "never"], ["masked"])
        .Node("Softmax", ["masked"], ["shares"], OnnxAttribute.Int("axis", 1))
        .Node("Where", ["counts", "shares", "zero"], ["attention"])
        .Node("Unsqueeze", ["attention", "middle"], ["row"])
        .Node("MatMul", ["row", "clean"], ["pooled_row"])
        .Node("Squeeze", ["pooled_row", "middle"], ["pooled"])
        .Node("Gemm", ["pooled", "projection", "biases"], ["embedding"])
        .Output("embedding", OnnxType.Float32, "batch", EmbeddingWidth)
        .Output("attention", OnnxType.Float32, "batch", "sequence");
}
