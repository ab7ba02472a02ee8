// A model with code around it: which digit each picture shows. The model's file is the application's argument `model_path`; see digits.yaml.
using Serve;

[Deployment]
public sealed class Digits(OnnxModel model)
{
    public async Task<long> Call(float[] pixels)
    {
        using var outputs = await model.RunAsync([("pixels", Tensor.Of(pixels, 1, pixels.Length))], ["label"]);
        return outputs["label"].Data<long>().Span[0];
    }

    [HttpGet("/model")]
    public object Describe() => new { inputs = model.Inputs.Select(input => input.ToString()), outputs = model.Outputs.Select(output => output.ToString()), model.ExecutionProvider };
}
