using Serve.Specs;

namespace Serve.Controller;

/// <summary>Turns an <c>import_path</c> into code that can be loaded: builds, inspects and packages it. Owned by the controller, implemented where building is known.</summary>
public interface IApplicationSource
{
    /// <summary>Prepares the code. The same content gives the same package, at no cost the second time.</summary>
    /// <param name="importPath">An absolute path of a <c>.cs</c> file, a project or <c>Assembly.dll[:Type]</c>, or <c>package:HASH</c> of one uploaded.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="DefinitionException">Everything that is wrong; compile errors with file and line.</exception>
    Task<ApplicationPackage> PrepareAsync(string importPath, CancellationToken cancellationToken);

    /// <summary>Takes in an uploaded package, unpacked into a folder within the state directory that may be moved away.</summary>
    /// <returns>The hash under which <c>package:HASH</c> finds it; null to have it kept in the packages folder by the hash of its zip file.</returns>
    /// <exception cref="DefinitionException">It is no package.</exception>
    Task<string?> AddPackageAsync(string folder, CancellationToken cancellationToken) => Task.FromResult<string?>(null);
}
