using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Mvc;

namespace Serve.Replica.Tests.Samples;

/// <summary>Has a model, an optional second one, and loads another itself.</summary>
[Deployment]
public sealed class Doubler(OnnxModel model, IOnnxModels models, OnnxModel? second = null, string? third = null)
{
    public string? Mode { get; private set; }

    public void Reconfigure(Settings settings) => Mode = settings.Mode;

    public async Task<float> Call([FromQuery] float x)
    {
        using var outputs = await model.RunAsync([("x", Tensor.Of(new[] { x, 0, 0, 0 }, 1, 4))]);
        return outputs["y"].Data<float>().Span[0];
    }

    [HttpGet("/about")]
    public async Task<JsonObject> About()
    {
        using var own = third is null ? null : await models.LoadAsync(third);
        return new() { ["path"] = Path.GetFileName(model.Path), ["on"] = model.ExecutionProvider, ["second"] = Path.GetFileName(second?.Path), ["third"] = Path.GetFileName(own?.Path), ["mode"] = Mode };
    }

    /// <summary>The user_config of the class.</summary>
    public sealed record Settings(string? Mode);
}
