// A model that runs several requests as one batch, with the request format of the protocol and the hand-written endpoint. The argument `model_path` is its file.
using Serve;

[Deployment]
public sealed class Gathered(OnnxModel model)
{
    [Batch(MaxBatchSize = 32, Adaptive = true)]
    public async Task<InferResponse[]> Call(IReadOnlyList<InferRequest> requests)
    {
        var width = requests[0].Inputs[0].Data.Length;
        var rows = new float[requests.Count * width];
        for (var row = 0; row < requests.Count; row++)
            requests[row].Inputs[0].Data.CopyTo(rows, row * width);
        using var outputs = await model.RunAsync([("x", Tensor.Of(rows, requests.Count, width))], ["y"]);
        var results = outputs["y"].Data<float>();
        var answers = new InferResponse[requests.Count];
        for (var row = 0; row < answers.Length; row++)
            answers[row] = new("mlp", "1", [new("y", "FP32", [1, width], results.Slice(row * width, width).ToArray())]);
        return answers;
    }
}

public sealed record InferRequest(InputTensor[] Inputs);

public sealed record InputTensor(string Name, long[] Shape, string Datatype, float[] Data);

public sealed record InferResponse(string ModelName, string ModelVersion, OutputTensor[] Outputs);

public sealed record OutputTensor(string Name, string Datatype, long[] Shape, float[] Data);
