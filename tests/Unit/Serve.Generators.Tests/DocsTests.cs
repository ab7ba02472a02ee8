using System.Text.RegularExpressions;

namespace Serve.Generators.Tests;

/// <summary>The code samples of the guide compile together with the generated code.</summary>
public sealed partial class DocsTests
{
    [Fact]
    public void CoreGuide_EveryExample_Compiles()
    {
        var blocks = Blocks(File.ReadAllText(Path.Combine(Repository(), "docs", "core.md"))).ToArray();
        Assert.True(blocks.Length > 10, $"{blocks.Length} examples were found");

        // The first sample contains the declarations for the others.
        foreach (var block in blocks.Skip(1))
        {
            var problems = Compiles(blocks[0], block);
            Assert.True(problems.Length == 0, $"{block}\n{problems}");
        }
    }

    [Fact]
    public void DeploymentsGuide_EveryExample_CompilesAsAFile()
    {
        var blocks = Blocks(File.ReadAllText(Path.Combine(Repository(), "docs", "deployments.md"))).ToArray();
        Assert.True(blocks.Length > 15, $"{blocks.Length} examples were found");

        foreach (var block in blocks)
        {
            // The directives of the SDK precede the code.
            var source = string.Join('\n', block.Split('\n').Where(line => !line.StartsWith("#:", StringComparison.Ordinal)));
            var code = CompiledUserCode.From(source);
            var problems = string.Join("\n", code.Problems().Concat(code.Findings.Where(finding => finding.Contains("Error", StringComparison.Ordinal))));
            Assert.True(problems.Length == 0, $"{block}\n{problems}");
        }
    }

    [Fact]
    public void ClientGuide_EveryExample_CompilesWithTheDeployment()
    {
        var blocks = Blocks(File.ReadAllText(Path.Combine(Repository(), "docs", "client.md"))).ToArray();
        Assert.True(blocks.Length > 4, $"{blocks.Length} examples were found");

        foreach (var block in blocks.Skip(1))
        {
            var problems = string.Join("\n", CompiledUserCode.From($$"""
                {{blocks[0]}}

                internal static class Example
                {
                    public static async Task Main()
                    {
                {{block}}
                    }
                }
                """).Problems());
            Assert.True(problems.Length == 0, $"{block}\n{problems}");
        }
    }

    [Fact]
    public void Readme_ExampleOfCore_Compiles()
    {
        var example = Blocks(File.ReadAllText(Path.Combine(Repository(), "README.md"))).Single(block => block.Contains("Cluster.Init", StringComparison.Ordinal));
        var split = example.IndexOf("\npublic static", StringComparison.Ordinal);

        Assert.Equal("", Compiles(example[split..], example[..split]));
    }

    private static string Compiles(string declarations, string example)
    {
        var init = example.Contains("Cluster.Init", StringComparison.Ordinal) ? "" : "await using var ray = await Cluster.Init();";
        var source = $$"""
            using System.IO;
            using System.Net.Http;
            {{declarations}}

            internal static class Example
            {
                public static async Task Main()
                {
            {{init}}
            {{example}}
                }
            }
            """;
        return string.Join("\n", CompiledUserCode.From(source).Problems());
    }

    private static IEnumerable<string> Blocks(string document) => Fence().Matches(document).Select(match => match.Groups[1].Value);

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Serve.sln")))
            folder = folder.Parent!;
        return folder.FullName;
    }

    [GeneratedRegex("^```csharp\n(.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fence();
}
