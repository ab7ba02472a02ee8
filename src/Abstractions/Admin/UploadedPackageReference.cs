namespace Serve.Admin;

/// <summary>An uploaded package, as <c>POST /api/v1/packages</c> answers.</summary>
public sealed record UploadedPackageReference
{
    /// <summary>What an application names as its <c>import_path</c>: <c>package:HASH</c>.</summary>
    public required string ImportPath { get; init; }
}
