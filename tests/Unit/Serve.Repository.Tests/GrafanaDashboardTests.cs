using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Serve.Repository.Tests;

/// <summary>
/// The Grafana dashboards of <c>deployments/grafana</c> are generated from the metrics in the source, one panel each, so that none is missing or outdated. With <c>SERVE_UPDATE_GOLDEN=1</c>
/// the files are written.
/// </summary>
public sealed class GrafanaDashboardTests
{
    private const string UpdateVariable = "SERVE_UPDATE_GOLDEN";
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Dashboards by file name: their titles, and the folders whose metrics they show.</summary>
    private static readonly (string File, string Title, string[] Folders)[] Dashboards =
    [
        ("serve-applications.json", "Serve: applications", ["src/Gateway", "src/Routing", "src/Replica", "src/Controller"]),
        ("serve-nodes.json", "Serve: nodes and models", ["src/Cli", "src/Runtime"]),
    ];

    public static TheoryData<string> Files => [.. Dashboards.Select(dashboard => dashboard.File)];

    [Theory]
    [MemberData(nameof(Files))]
    public void File_IsGeneratedFromTheMetrics(string file)
    {
        var dashboard = Dashboards.Single(each => each.File == file);
        var path = Path.Combine(RepositoryFiles.Root, "deployments/grafana", file);
        var expected = Compose(dashboard.Title, file, [.. dashboard.Folders.SelectMany(MetricsBelow)]).ToJsonString(Indented) + "\n";
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, expected);
        }

        Assert.True(File.Exists(path) && File.ReadAllText(path) == expected, $"deployments/grafana/{file} differs from the metrics. Run this test with {UpdateVariable}=1 and commit the file.");
    }

    [Fact]
    public void Metrics_EachOfTheSource_IsOnADashboard()
    {
        var shown = Dashboards.SelectMany(dashboard => dashboard.Folders).SelectMany(MetricsBelow).Select(metric => metric.Name).ToList();

        Assert.Equal(MetricsBelow("src").Select(metric => metric.Name).Order(StringComparer.Ordinal), shown.Order(StringComparer.Ordinal));
        Assert.Contains("serve_deployment_request_counter_total", shown);
        Assert.True(shown.Count > 40, $"Only {shown.Count} metrics were found.");
    }

    // Calls like CreateCounter("serve_…", "help", …). Those of a Meter are generic, and not exported by nodes.
    private static IEnumerable<Metric> MetricsBelow(string folder) =>
        from file in RepositoryFiles.Below(folder, "*.cs")
        let text = RepositoryFiles.Read(file)
        where text.Contains("\"serve_", StringComparison.Ordinal)
        from call in CSharpSyntaxTree.ParseText(text).GetRoot().DescendantNodes().OfType<InvocationExpressionSyntax>()
        where call.Expression is MemberAccessExpressionSyntax { Name: IdentifierNameSyntax { Identifier.ValueText: "CreateCounter" or "CreateGauge" or "CreateHistogram" } }
        let literals = call.ArgumentList.Arguments.Take(2).Select(argument => (argument.Expression as LiteralExpressionSyntax)?.Token.ValueText).ToList()
        where literals is [not null, not null] && literals[0]!.StartsWith("serve_", StringComparison.Ordinal)
        select new Metric(literals[0]!, literals[1]!, ((MemberAccessExpressionSyntax)call.Expression).Name.Identifier.ValueText["Create".Length..]);

    private static JsonObject Compose(string title, string file, IReadOnlyList<Metric> metrics) => new()
    {
        ["title"] = title,
        ["uid"] = Path.GetFileNameWithoutExtension(file),
        ["tags"] = new JsonArray("serve"),
        ["schemaVersion"] = 39,
        ["timezone"] = "browser",
        ["refresh"] = "10s",
        ["time"] = new JsonObject { ["from"] = "now-1h", ["to"] = "now" },
        ["templating"] = new JsonObject
        {
            ["list"] = new JsonArray(
                new JsonObject { ["name"] = "datasource", ["type"] = "datasource", ["query"] = "prometheus" },
                new JsonObject
                {
                    ["name"] = "application", ["type"] = "query", ["datasource"] = Source(), ["query"] = "label_values(serve_application_status, application)",
                    ["includeAll"] = true, ["multi"] = true, ["allValue"] = ".*", ["refresh"] = 2, ["current"] = new JsonObject { ["text"] = "All", ["value"] = "$__all" },
                }),
        },
        ["panels"] = new JsonArray([.. metrics.Select((metric, index) => (JsonNode)Panel(metric, index))]),
    };

    private static JsonObject Panel(Metric metric, int index) => new()
    {
        ["id"] = index + 1,
        ["type"] = "timeseries",
        ["title"] = metric.Help.TrimEnd('.') is { Length: <= 70 } help ? help : metric.Name,
        ["description"] = $"{metric.Name}: {metric.Help}",
        ["datasource"] = Source(),
        ["gridPos"] = new JsonObject { ["x"] = index % 3 * 8, ["y"] = index / 3 * 7, ["w"] = 8, ["h"] = 7 },
        ["fieldConfig"] = new JsonObject
        {
            ["defaults"] = new JsonObject { ["unit"] = Unit(metric), ["min"] = 0, ["custom"] = new JsonObject { ["fillOpacity"] = 8 } },
            ["overrides"] = new JsonArray(),
        },
        ["options"] = new JsonObject { ["legend"] = new JsonObject { ["displayMode"] = "list", ["placement"] = "bottom" }, ["tooltip"] = new JsonObject { ["mode"] = "multi" } },
        ["targets"] = new JsonArray([.. Queries(metric).Select((query, each) => (JsonNode)new JsonObject
        {
            ["refId"] = ((char)('A' + each)).ToString(CultureInfo.InvariantCulture), ["expr"] = query.Expression, ["legendFormat"] = query.Legend, ["datasource"] = Source(),
        })]),
    };

    private static IEnumerable<(string Expression, string Legend)> Queries(Metric metric)
    {
        var labels = metric.Name.StartsWith("serve_process_", StringComparison.Ordinal) ? "instance, pid"
            : metric.Name.StartsWith("serve_gpu_", StringComparison.Ordinal) ? "instance, gpu"
            : metric.Name.StartsWith("serve_onnx_", StringComparison.Ordinal) ? "model, provider"
            : metric.Name.StartsWith("serve_config_", StringComparison.Ordinal) || metric.Name.StartsWith("serve_controller_", StringComparison.Ordinal) ? "instance"
            : "application, deployment";
        // Series without the label match too.
        var filter = labels == "application, deployment" ? "{application=~\"$application|\"}" : "";
        var legend = string.Join(' ', labels.Split(", ").Select(label => $"{{{{{label}}}}}"));
        return metric.Kind switch
        {
            "Counter" => [($"sum by ({labels}) (rate({metric.Name}{filter}[$__rate_interval]))", legend)],
            "Histogram" =>
            [
                ($"histogram_quantile(0.5, sum by (le, {labels}) (rate({metric.Name}_bucket{filter}[$__rate_interval])))", "p50 " + legend),
                ($"histogram_quantile(0.99, sum by (le, {labels}) (rate({metric.Name}_bucket{filter}[$__rate_interval])))", "p99 " + legend),
            ],
            _ => [($"sum by ({labels}) ({metric.Name}{filter})", legend)],
        };
    }

    private static string Unit(Metric metric) => metric.Name switch
    {
        var name when name.Contains("_bytes", StringComparison.Ordinal) => "bytes",
        var name when name.EndsWith("timestamp_seconds", StringComparison.Ordinal) => "dateTimeFromNow",
        var name when name.EndsWith("_ms", StringComparison.Ordinal) => "ms",
        var name when name.Contains("_seconds", StringComparison.Ordinal) => metric.Kind == "Counter" ? "percentunit" : "s",
        var name when name.Contains("_percent", StringComparison.Ordinal) => "percent",
        var name when name.EndsWith("_ratio", StringComparison.Ordinal) => "percentunit",
        _ => metric.Kind == "Counter" ? "ops" : "short",
    };

    private static JsonObject Source() => new() { ["type"] = "prometheus", ["uid"] = "${datasource}" };

    private sealed record Metric(string Name, string Help, string Kind);
}
