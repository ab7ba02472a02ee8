using Serve.Controller.Applications;
using Serve.Specs;

namespace Serve.Controller.Tests;

/// <summary>Packages by import path: <c>NAME@REVISION</c> is a package with the deployment NAME, unless a test defines another.</summary>
internal sealed class FakeApplicationSource : IApplicationSource
{
    public Dictionary<string, ApplicationPackage> Packages { get; } = [];

    public Task<ApplicationPackage> PrepareAsync(string importPath, CancellationToken cancellationToken)
    {
        if (Packages.TryGetValue(importPath, out var package))
            return Task.FromResult(package);
        if (importPath.StartsWith("broken", StringComparison.Ordinal))
            throw new DefinitionException($"{importPath}(3,7): error CS1002: ; expected", $"{importPath}(9,1): error CS1513: }} expected");
        return Task.FromResult(Package(importPath, importPath.Split('@')[0]));
    }

    public string FindSource(string importPath) => importPath.Replace("package:", "", StringComparison.Ordinal);

    /// <summary>Packages that were last found to be used.</summary>
    public IReadOnlySet<string>? Used { get; private set; }

    public int DeleteUnused(IReadOnlySet<string> used, DateTimeOffset before)
    {
        Used = used;
        return 0;
    }

    public static ApplicationPackage Package(string hash, params string[] deployments) => new()
    {
        Hash = hash,
        Directory = "/packages/" + hash,
        AssemblyFile = "App.dll",
        Ingress = deployments[0],
        Deployments = [.. deployments.Select(name => new DeploymentDefinition { Options = new() { Name = name }, TypeName = "My." + name })],
    };
}
