using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Hosting;

namespace Serve.Replica.Activation;

/// <summary>
/// Host environment of a replica: name of the application, folder of the package and its folder <c>wwwroot</c>, and environment of the process (Development, Production).
/// </summary>
internal sealed class ReplicaHostEnvironment : IWebHostEnvironment, IDisposable
{
    private readonly PhysicalFileProvider _files;
    private readonly PhysicalFileProvider? _webFiles;

    public ReplicaHostEnvironment(string application, string packageDirectory, IHostEnvironment? process)
    {
        ApplicationName = application;
        EnvironmentName = process?.EnvironmentName ?? Environments.Production;
        ContentRootPath = packageDirectory;
        ContentRootFileProvider = _files = new PhysicalFileProvider(packageDirectory);
        WebRootPath = Path.Combine(packageDirectory, "wwwroot");
        _webFiles = Directory.Exists(WebRootPath) ? new PhysicalFileProvider(WebRootPath) : null;
        WebRootFileProvider = _webFiles ?? (IFileProvider)new NullFileProvider();
    }

    public string ApplicationName { get; set; }

    public string EnvironmentName { get; set; }

    public string ContentRootPath { get; set; }

    public IFileProvider ContentRootFileProvider { get; set; }

    public string WebRootPath { get; set; }

    public IFileProvider WebRootFileProvider { get; set; }

    public void Dispose()
    {
        _files.Dispose();
        _webFiles?.Dispose();
    }
}
