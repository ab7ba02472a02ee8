namespace Serve.Cli.Build;

/// <summary>Turns an import path into a package: builds what needs building, and adds the result to the store.</summary>
/// <param name="store">Receives packages.</param>
/// <param name="buildRoot">Where build folders are.</param>
/// <param name="progress">Is told of builds.</param>
/// <param name="time">The clock.</param>
internal sealed class ApplicationPackageBuilder(ApplicationPackageStore store, string buildRoot, IBuildProgressListener? progress, TimeProvider time)
{
    /// <summary>Makes the package.</summary>
    /// <param name="path">What to package.</param>
    /// <param name="cancellationToken">Ends a build that runs.</param>
    /// <returns>The package's hash.</returns>
    /// <exception cref="DefinitionException">It does not build, or is not deployable code; every error is listed.</exception>
    public Task<string> BuildAsync(ImportPath path, CancellationToken cancellationToken) => path.Kind switch
    {
        ImportPathKind.SourceFile => FromSourceFileAsync(path, cancellationToken),
        ImportPathKind.Project => FromProjectAsync(path, cancellationToken),
        ImportPathKind.Assembly => Task.FromResult(FromAssembly(path)),
        ImportPathKind.Archive => Task.FromResult(PackageZipArchive.Read(path.Location, store)),
        ImportPathKind.Model => Task.FromResult(store.Add(ModelPackageFiles.Files(path.Location), new() { Name = path.DefaultName })),
        ImportPathKind.Package => Task.FromResult(path.Location),
        _ => throw new ArgumentOutOfRangeException(nameof(path)),
    };

    private async Task<string> FromSourceFileAsync(ImportPath path, CancellationToken cancellationToken)
    {
        using var folder = await LockedBuildFolder.AcquireAsync(buildRoot, path.Location, time, cancellationToken);
        var directives = SourceDirectives.Read(path.Location, await File.ReadAllTextAsync(path.Location, cancellationToken));
        var name = SourceFileProject.AssemblyName(path.Location);
        var project = SourceFileProject.Write(path.Location, name, directives);
        // The file's bytes and its time: another project may share it, and a debugger wants the newest.
        var fingerprint = PackageContentHash.Of(PackageContentHash.Of([(path.Location, path.Location)]), project, BuildToolVersion.Text);

        // What a referenced project is made of only MSBuild knows.
        if (!directives.Projects.IsEmpty || !folder.IsCurrent(fingerprint))
        {
            folder.BeginBuild();
            var file = Path.Combine(folder.Directory, name + ".csproj");
            await File.WriteAllTextAsync(file, project, cancellationToken);
            await ReportedAsync(path.Location, () => DotnetBuildProcess.RunAsync(file, null, folder.Directory, cancellationToken));
            folder.CompleteBuild(fingerprint);
        }

        return store.Add(folder.Output, null, Manifest(path, name + ".dll"));
    }

    private async Task<string> FromProjectAsync(ImportPath path, CancellationToken cancellationToken)
    {
        using var folder = await LockedBuildFolder.AcquireAsync(buildRoot, path.Location, time, cancellationToken);
        folder.BeginBuild();
        await ReportedAsync(path.Location, () => DotnetBuildProcess.RunAsync(path.Location, folder.Output, folder.Directory, cancellationToken));
        return store.Add(folder.Output, null, Manifest(path, ProjectAssemblyFinder.FindAssemblyFile(path.Location, folder.Output)));
    }

    private string FromAssembly(ImportPath path)
    {
        var folder = Path.GetDirectoryName(path.Location)!;
        var file = Path.GetFileName(path.Location);
        // With a deps.json the folder is a build's output and all of it belongs; without, the folder may be anything.
        Func<string, bool>? include = File.Exists(Path.ChangeExtension(path.Location, ".deps.json"))
            ? null
            : name => !name.Contains('/', StringComparison.Ordinal) && Path.GetExtension(name) is ".dll" or ".pdb" or ".json";
        return store.Add(folder, include, Manifest(path, file));
    }

    private static PackageManifest Manifest(ImportPath path, string assembly) =>
        new() { AssemblyFile = assembly, Name = path.DefaultName };

    private async Task ReportedAsync(string source, Func<Task> build)
    {
        progress?.OnBuildStarted(source);
        var begun = time.GetTimestamp();
        try
        {
            await build();
        }
        catch
        {
            progress?.OnBuildFailed(source);
            throw;
        }

        progress?.OnBuildSucceeded(source, time.GetElapsedTime(begun));
    }
}
