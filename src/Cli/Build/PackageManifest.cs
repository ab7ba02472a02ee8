namespace Serve.Cli.Build;

/// <summary>What a package's folder says about itself; a file of the package and so part of its hash.</summary>
internal sealed record PackageManifest
{
    /// <summary>The manifest's file name within the package.</summary>
    public const string FileName = "serve-package.json";

    /// <summary>The assembly within the folder; null for a model, whose versions lie in <c>VERSION/model.onnx</c>.</summary>
    public string? AssemblyFile { get; init; }

    /// <summary>The name that an application takes when it is given none.</summary>
    public required string Name { get; init; }

    /// <summary>The ingress class that was chosen when it was packed; null to have it found.</summary>
    public string? TypeName { get; init; }
}
