// A model in code: classifies images of digits. The application's argument `model_path` is the file of the model, see digits.yaml.
using Serve;

[Deployment]
public sealed class Digits(OnnxModel model)
{
    // Each caller sends one image; images that arrive at about the same time share a run. An invalid image fails alone.
    [Batch(MaxBatchSize = 64, Adaptive = true)]
    public async Task<BatchResult<long>[]> Call(IReadOnlyList<float[]> pixels) =>
        [.. (await model.RunEachAsync<float, long>(pixels)).Select(result => result.Select(label => label[0]))];

    [HttpGet("/model")]
    public object Describe() => new { inputs = model.Inputs.Select(input => input.ToString()), outputs = model.Outputs.Select(output => output.ToString()), model.ExecutionProvider };
}
