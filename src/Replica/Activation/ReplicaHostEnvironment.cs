using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;

namespace Serve.Replica.Activation;

/// <summary>Tells user code where it runs: its application's name, its package's folder, and the process's environment (Development, Production).</summary>
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
