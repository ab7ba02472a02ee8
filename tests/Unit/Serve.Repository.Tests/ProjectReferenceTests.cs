using System.Xml.Linq;

namespace Serve.Repository.Tests;

/// <summary>Project references of src/ follow the table of docs/architecture.md, and internals are visible to test projects only.</summary>
public sealed class ProjectReferenceTests
{
    /// <summary>The composition root, which may reference every project.</summary>
    private const string CompositionRoot = "Serve.Cli";

    private static readonly Dictionary<string, string[]> AllowedReferences = new()
    {
        ["Serve.Core"] = [],
        ["Serve.Abstractions"] = ["Serve.Core"],
        ["Serve.Contracts"] = ["Serve.Abstractions", "Serve.Core"],
        ["Serve.Generators"] = [],
        ["Serve.Routing"] = ["Serve.Abstractions", "Serve.Contracts"],
        ["Serve.Control"] = ["Serve.Abstractions", "Serve.Contracts"],
        ["Serve.Cluster"] = ["Serve.Core"],
        ["Serve.Runtime"] = ["Serve.Core", "Serve.Cluster"],
        ["Serve.Runtime.Workers"] = ["Serve.Core", "Serve.Cluster", "Serve.Runtime"],
        ["Serve.Runtime.Onnx"] = ["Serve.Abstractions", "Serve.Runtime"],
        ["Serve.Client"] = ["Serve.Abstractions", "Serve.Contracts"],
        ["Serve.Replica"] = ["Serve.Abstractions", "Serve.Contracts", "Serve.Routing", "Serve.Runtime", "Serve.Runtime.Workers", "Serve.Runtime.Onnx"],
        ["Serve.Inference.Analysis"] = [],
        ["Serve.Inference"] = ["Serve.Inference.Analysis", "Serve.Abstractions", "Serve.Contracts", "Serve.Routing", "Serve.Runtime", "Serve.Replica"],
        ["Serve.Gateway"] = ["Serve.Abstractions", "Serve.Contracts", "Serve.Routing", "Serve.Runtime"],
        ["Serve.Dashboard"] = ["Serve.Contracts"],
        ["Serve.Dashboard.Programs"] = ["Serve.Dashboard", "Serve.Contracts", "Serve.Core", "Serve.Runtime"],
        ["Serve.Gym"] = ["Serve.Core"],
        ["Serve.Experiments"] = ["Serve.Core"],
        ["Serve.Tune"] = ["Serve.Core", "Serve.Experiments"],
        ["Serve.Workflows"] = ["Serve.Core"],
        ["Serve.Workflows.Generators"] = [],
        ["Serve.Workflows.Postgres"] = ["Serve.Workflows"],
        ["Serve.Workflows.Http"] = ["Serve.Workflows"],
        ["Serve.Controller"] = ["Serve.Abstractions", "Serve.Cluster", "Serve.Contracts", "Serve.Control", "Serve.Runtime"],
    };

    public static TheoryData<string> Projects => [.. RepositoryFiles.Below("src", "*.csproj")];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_ReferencesAllowedProjectsOnly(string project)
    {
        var name = Path.GetFileNameWithoutExtension(project);
        if (name == CompositionRoot)
            return;

        Assert.True(AllowedReferences.ContainsKey(name), $"{name} has no row in the table. Add one here and in docs/architecture.md.");
        Assert.Empty(References(project).Except(AllowedReferences[name]));
    }

    [Fact]
    public void Table_EveryProject_Exists() =>
        Assert.Empty(AllowedReferences.Keys.Append(CompositionRoot).Except(RepositoryFiles.Below("src", "*.csproj").Select(Path.GetFileNameWithoutExtension)));

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_ReferencesNothingOutsideOfSource(string project) =>
        Assert.DoesNotContain(ReferencePaths(project), path => path.Contains("deployments/", StringComparison.Ordinal) || path.Contains("samples/", StringComparison.Ordinal)
            || path.Contains("tests/", StringComparison.Ordinal) || path.Contains("bench/", StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(Projects))]
    public void Project_InternalsAreVisibleToTestsOnly(string project) =>
        Assert.DoesNotContain(
            XDocument.Parse(RepositoryFiles.Read(project)).Descendants("InternalsVisibleTo").Select(item => item.Attribute("Include")!.Value),
            friend => !friend.EndsWith(".Tests", StringComparison.Ordinal));

    /// <summary>Console programs install the packages of Core, which must not depend on the web framework or on gRPC.</summary>
    [Theory]
    [InlineData("Serve.Core")]
    [InlineData("Serve.Cluster")]
    [InlineData("Serve.Runtime")]
    [InlineData("Serve.Runtime.Workers")]
    public void PackageOfCore_NeedsNeitherAspNetCoreNorGrpc(string name)
    {
        var project = XDocument.Parse(RepositoryFiles.Read(RepositoryFiles.Below("src", "*.csproj").Single(path => Path.GetFileNameWithoutExtension(path) == name)));

        Assert.Empty(project.Descendants("FrameworkReference"));
        Assert.DoesNotContain(project.Descendants("PackageReference").Where(package => package.Attribute("PrivateAssets")?.Value != "all").Select(package => package.Attribute("Include")!.Value),
            package => package.StartsWith("Grpc.", StringComparison.Ordinal) || package.Contains("AspNetCore", StringComparison.Ordinal)
                || (package == "Google.Protobuf" && name != "Serve.Runtime.Workers"));
    }

    /// <summary>Names of the referenced projects whose assembly is loaded; projects that are only built first or loaded by the compiler are excluded.</summary>
    private static IEnumerable<string> References(string project) =>
        XDocument.Parse(RepositoryFiles.Read(project)).Descendants("ProjectReference")
            .Where(reference => reference.Attribute("ReferenceOutputAssembly")?.Value != "false")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));

    private static IEnumerable<string> ReferencePaths(string project) =>
        XDocument.Parse(RepositoryFiles.Read(project)).Descendants("ProjectReference").Select(reference => reference.Attribute("Include")!.Value.Replace('\\', '/'));
}
