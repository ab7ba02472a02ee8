// A model with code around it: which digit each picture shows. The model's file is the application's argument `model_path`; see digits.yaml.
using Serve;

[Deployment]
public sealed class Digits(OnnxModel model)
{
    // Callers send one picture each; the model is run for all that have come at about the same time. One that is no picture fails alone.
    [Batch(MaxBatchSize = 64, Adaptive = true)]
    public async Task<BatchResult<long>[]> Call(IReadOnlyList<float[]> pixels) =>
        [.. (await model.RunEachAsync<float, long>(pixels)).Select(result => result.Select(label => label[0]))];

    [HttpGet("/model")]
    public object Describe() => new { inputs = model.Inputs.Select(input => input.ToString()), outputs = model.Outputs.Select(output => output.ToString()), model.ExecutionProvider };
}
