using System.Reflection;
using System.Xml.Linq;

namespace Serve.Abstractions.Tests.Workshop;

/// <summary>References point downwards only: the table of docs/architecture.md against the project files.</summary>
public sealed class ReferenceMatrixTests
{
    private static readonly Dictionary<string, string[]> May = new()
    {
        ["Serve.Core"] = [],
        ["Serve.Abstractions"] = ["Serve.Core"],
        ["Serve.Generators"] = [],
        ["Serve.Routing"] = ["Serve.Abstractions"],
        ["Serve.Control"] = ["Serve.Abstractions"],
        ["Serve.Runtime"] = ["Serve.Abstractions", "Serve.Core"],
        ["Serve.Runtime.Onnx"] = ["Serve.Abstractions", "Serve.Runtime"],
        ["Serve.Runtime.Workers"] = ["Serve.Abstractions", "Serve.Core", "Serve.Runtime"],
        ["Serve.Client"] = ["Serve.Abstractions"],
        ["Serve.Replica"] = ["Serve.Abstractions", "Serve.Routing", "Serve.Runtime", "Serve.Runtime.Workers", "Serve.Runtime.Onnx"],
        ["Serve.Gateway"] = ["Serve.Abstractions", "Serve.Routing", "Serve.Runtime"],
        ["Serve.Controller"] = ["Serve.Abstractions", "Serve.Control", "Serve.Runtime"],
    };

    /// <summary>The composition root: it alone may reference everything.</summary>
    private const string Root = "Serve.Cli";

    private static readonly string Source = Path.Combine(
        typeof(ReferenceMatrixTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(each => each.Key == "RepositoryRoot").Value!, "src");

    /// <summary>Every project under src.</summary>
    public static TheoryData<string> Projects => [.. Directory.GetFiles(Source, "*.csproj", SearchOption.AllDirectories)
        .Select(file => Path.GetRelativePath(Source, file)).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_ReferencesOnlyWhatItMay(string project)
    {
        var name = Path.GetFileNameWithoutExtension(project);
        if (name == Root)
            return;

        Assert.True(May.ContainsKey(name), $"{name} is not in the table: give it a row here and in docs/architecture.md.");
        var references = XDocument.Load(Path.Combine(Source, project)).Descendants("ProjectReference")
            // What is only built first, or loaded by the compiler, is no reference.
            .Where(reference => reference.Attribute("ReferenceOutputAssembly")?.Value != "false")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));
        Assert.Empty(references.Except(May[name]));
    }

    [Fact]
    public void Projects_AllOfTheTable_Exist() =>
        Assert.Empty(May.Keys.Append(Root).Except(Directory.GetFiles(Source, "*.csproj", SearchOption.AllDirectories).Select(Path.GetFileNameWithoutExtension)));

    [Fact]
    public void Samples_AreNotReferencedBySource() =>
        Assert.DoesNotContain(
            Directory.GetFiles(Source, "*.csproj", SearchOption.AllDirectories).SelectMany(file => XDocument.Load(file).Descendants("ProjectReference")),
            reference => reference.Attribute("Include")!.Value.Replace('\\', '/').Contains("deployments/", StringComparison.Ordinal));
}
