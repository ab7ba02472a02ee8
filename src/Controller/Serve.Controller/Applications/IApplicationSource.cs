using Serve.Specs;

namespace Serve.Controller.Applications;

/// <summary>Builds, inspects and packages the code of an <c>import_path</c>.</summary>
public interface IApplicationSource
{
    /// <summary>Prepares the code. The same content gives the same package, at no cost the second time.</summary>
    /// <param name="importPath">Absolute path of a <c>.cs</c> file, a project or <c>Assembly.dll[:Type]</c>, or <c>package:HASH</c> of an uploaded package.</param>
    /// <param name="cancellationToken">Cancels the build.</param>
    /// <exception cref="DefinitionException">The code is invalid; lists every error, compile errors with file and line.</exception>
    Task<ApplicationPackage> PrepareAsync(string importPath, CancellationToken cancellationToken);

    /// <summary>Returns the path that a package was last built from on this node; the same path if it is not a package, or was not built here.</summary>
    /// <param name="importPath">The <see cref="ApplicationPackage.ImportPath"/> of the package.</param>
    string FindSource(string importPath);

    /// <summary>Deletes the stored packages that are not used, and that were last added or prepared before a time.</summary>
    /// <param name="used">Hashes of the packages that are used.</param>
    /// <param name="before">The time.</param>
    /// <returns>Number of deleted packages.</returns>
    int DeleteUnused(IReadOnlySet<string> used, DateTimeOffset before);
}

/// <summary>A requested configuration and its built code.</summary>
internal sealed record PreparedApplication(ApplicationConfig Config, ApplicationPackage Package);

/// <summary>There is no application or deployment of that name.</summary>
public sealed class ApplicationNotFoundException(string message) : Exception(message)
{
    /// <summary>Creates the exception for an unknown application.</summary>
    /// <param name="name">The name that was given.</param>
    /// <param name="known">Names of all applications.</param>
    public static ApplicationNotFoundException Of(string name, IEnumerable<string> known) => new($"No application is named '{name}'. {ListOf("Applications", known)}");

    /// <summary>Creates the exception for an unknown part of an application.</summary>
    /// <param name="application">The application.</param>
    /// <param name="kind">Kind of the part, in the singular.</param>
    /// <param name="name">The name that was given.</param>
    /// <param name="known">Names of all such parts.</param>
    public static ApplicationNotFoundException OfPart(string application, string kind, string name, IEnumerable<string> known) =>
        new($"Application '{application}' has no {kind} '{name}'. {ListOf($"Its {kind}s", known)}");

    private static string ListOf(string kind, IEnumerable<string> names)
    {
        var list = string.Join(", ", names.Order(StringComparer.Ordinal));
        return list.Length == 0 ? $"{kind}: none." : $"{kind}: {list}.";
    }
}

/// <summary>The request contradicts the current state of the node.</summary>
public sealed class NodeConflictException(string message) : Exception(message)
{
    internal static NodeConflictException ShuttingDown() => new("The node is shutting down and accepts no changes.");
}
