using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ModelMaker;

namespace Serve.Models.Tests;

/// <summary>A request of the models' README and its response.</summary>
/// <param name="Model">The model in the request's URL.</param>
/// <param name="Request">The body in Open Inference Protocol v2.</param>
/// <param name="Response">The expected response.</param>
internal sealed partial record ReadmeRequestExample(string Model, JsonObject Request, JsonObject Response)
{
    public static IReadOnlyList<ReadmeRequestExample> All { get; } =
    [
        .. Pattern().Matches(File.ReadAllText(Path.Combine(CommittedModels.Folder, "README.md"))).Select(match =>
            new ReadmeRequestExample(match.Groups["model"].Value, Parse(match.Groups["request"].Value), Parse(match.Groups["response"].Value))),
    ];

    private static JsonObject Parse(string text) => JsonNode.Parse(text)!.AsObject();

    [GeneratedRegex("""curl -d '(?<request>\{.*?\})' http://127\.0\.0\.1:8000/v2/models/(?<model>\w+)/infer\s+```.*?```json\s+(?<response>\{.*?\})\s+```""", RegexOptions.Singleline)]
    private static partial Regex Pattern();
}
