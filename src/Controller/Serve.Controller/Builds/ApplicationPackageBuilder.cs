using System.Text.RegularExpressions;
using Serve.Controller.Packages;

namespace Serve.Controller.Builds;

/// <summary>Creates the package of an import path: builds code if necessary, and adds the result to the package store.</summary>
/// <param name="store">Receives the packages.</param>
/// <param name="buildRoot">Root of the build folders.</param>
/// <param name="progress">Receives the progress of builds; null for none.</param>
/// <param name="time">Clock.</param>
/// <param name="supervisor">Command line before that of the build, which ends the build and its processes when its standard input ends; null for none.</param>
public sealed partial class ApplicationPackageBuilder(
    ApplicationPackageStore store, string buildRoot, IBuildProgressListener? progress, TimeProvider time, IReadOnlyList<string>? supervisor = null)
{
    // Another version of the CLI, the abstractions or the generator rebuilds user code.
    private static readonly string ToolVersion = PackageContentHash.Of(
        typeof(ApplicationPackageBuilder).Module.ModuleVersionId.ToString(),
        typeof(DeploymentAttribute).Module.ModuleVersionId.ToString(),
        PackageContentHash.Of(Directory.Exists(DotnetBuildProcess.UserCodeFolder) ? ApplicationPackageStore.Files(DotnetBuildProcess.UserCodeFolder) : []));

    /// <summary>Creates the package.</summary>
    /// <param name="path">The code or model.</param>
    /// <param name="cancellationToken">Cancels a running build.</param>
    /// <returns>The package's hash.</returns>
    /// <exception cref="DefinitionException">The build failed, or the target is not deployable; lists every error.</exception>
    public Task<string> BuildAsync(ImportPath path, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(path);
        return path.Kind switch
        {
            ImportPathKind.SourceFile => BuildSourceFileAsync(path, cancellationToken),
            ImportPathKind.Project => BuildProjectAsync(path, cancellationToken),
            ImportPathKind.Assembly => Task.FromResult(AddAssembly(path, cancellationToken)),
            ImportPathKind.Archive => Task.FromResult(PackageZipArchive.Read(path.Location, store)),
            ImportPathKind.Model => Task.FromResult(store.Add(ModelPackageFiles.Files(path.Location), new() { Name = path.DefaultName }, cancellationToken)),
            ImportPathKind.Package => Task.FromResult(path.Location),
            _ => throw new ArgumentOutOfRangeException(nameof(path)),
        };
    }

    private async Task<string> BuildSourceFileAsync(ImportPath path, CancellationToken cancellationToken)
    {
        if (UnsupportedPath().IsMatch(path.Location))
            throw new DefinitionException($"{path.Location}: the .NET SDK cannot build a C# file whose path contains ';', '*', '?', '$(', '@(', '%(' or '%' and two hex digits. Rename the file or its folder.");
        using var folder = await LockedBuildFolder.AcquireAsync(buildRoot, path.Location, time, cancellationToken);
        var fingerprint = PackageContentHash.Of(PackageContentHash.Of([(path.Location, path.Location)], cancellationToken: cancellationToken), ToolVersion);
        if (!folder.IsCurrent(fingerprint))
        {
            await BuildAsync(path.Location, folder,
            [
                "OutputType=Library", "PublishAot=false",
                $"ServeBuildDirectory={folder.Directory}{Path.DirectorySeparatorChar}",
                $"CustomBeforeDirectoryBuildProps={Path.Combine(DotnetBuildProcess.UserCodeFolder, "UserCode.props")}",
            ], cancellationToken);
            folder.CompleteBuild(fingerprint);
        }

        return store.Add(folder.Output, null, Manifest(path, ProjectAssemblyFinder.FindAssemblyFile(path.Location, folder.Output)), cancellationToken);
    }

    private async Task<string> BuildProjectAsync(ImportPath path, CancellationToken cancellationToken)
    {
        using var folder = await LockedBuildFolder.AcquireAsync(buildRoot, path.Location, time, cancellationToken);
        await BuildAsync(path.Location, folder, [$"OutDir={folder.Output}{Path.DirectorySeparatorChar}"], cancellationToken);
        return store.Add(folder.Output, null, Manifest(path, ProjectAssemblyFinder.FindAssemblyFile(path.Location, folder.Output)), cancellationToken);
    }

    private string AddAssembly(ImportPath path, CancellationToken cancellationToken)
    {
        var folder = Path.GetDirectoryName(path.Location)!;
        var file = Path.GetFileName(path.Location);
        // With a deps.json the folder is the output of a build and belongs to the package as a whole; otherwise it may contain anything.
        Func<string, bool>? include = File.Exists(Path.ChangeExtension(path.Location, ".deps.json"))
            ? null
            : name => !name.Contains('/', StringComparison.Ordinal) && Path.GetExtension(name) is ".dll" or ".pdb" or ".json";
        return store.Add(folder, include, Manifest(path, file), cancellationToken);
    }

    private static PackageManifest Manifest(ImportPath path, string assembly) =>
        new() { AssemblyFile = assembly, Name = path.DefaultName, TypeName = path.TypeName };

    private async Task BuildAsync(string target, LockedBuildFolder folder, IEnumerable<string> properties, CancellationToken cancellationToken)
    {
        folder.BeginBuild();
        progress?.OnBuildStarted(target);
        var started = time.GetTimestamp();
        try
        {
            await DotnetBuildProcess.RunAsync(target, properties, folder.Directory, supervisor ?? [], cancellationToken);
        }
        catch
        {
            progress?.OnBuildFailed(target);
            throw;
        }

        progress?.OnBuildSucceeded(target, time.GetElapsedTime(started));
    }

    // MSBuild syntax, which the SDK does not escape in the path of a file-based program.
    [GeneratedRegex(@"[;*?]|[$@%]\(|%[0-9A-Fa-f]{2}", RegexOptions.CultureInvariant)]
    private static partial Regex UnsupportedPath();
}

/// <summary>Receives the progress of builds.</summary>
public interface IBuildProgressListener
{
    /// <summary>Called when a build starts.</summary>
    /// <param name="source">The C# file or project.</param>
    void OnBuildStarted(string source);

    /// <summary>Called when a build has succeeded.</summary>
    /// <param name="source">The C# file or project.</param>
    /// <param name="duration">Duration of the build.</param>
    void OnBuildSucceeded(string source, TimeSpan duration);

    /// <summary>Called when a build has failed or was canceled.</summary>
    /// <param name="source">The C# file or project.</param>
    void OnBuildFailed(string source);
}
