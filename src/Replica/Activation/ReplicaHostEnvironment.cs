using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;

namespace Serve.Replica.Activation;

/// <summary>Host environment of a replica: name of the application, folder of the package, and environment of the process (Development, Production).</summary>
internal sealed class ReplicaHostEnvironment(string application, string packageDirectory, IHostEnvironment? process) : IHostEnvironment, IDisposable
{
    private readonly PhysicalFileProvider _files = new(packageDirectory);
    private IFileProvider? _replaced;

    public string ApplicationName { get; set; } = application;

    public string EnvironmentName { get; set; } = process?.EnvironmentName ?? Environments.Production;

    public string ContentRootPath { get; set; } = packageDirectory;

    public IFileProvider ContentRootFileProvider
    {
        get => _replaced ?? _files;
        set => _replaced = value;
    }

    public void Dispose() => _files.Dispose();
}
