namespace Serve.Controller;

/// <summary>Marks the endpoint whose bodies may be as large as a package.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PackageUploadAttribute : Attribute;
