using Serve.Specs;

namespace Serve.Controller;

/// <summary>Turns an <c>import_path</c> into code that can be loaded: builds, inspects and packages it. Implemented by <see cref="Packages.PackageApplicationSource"/>.</summary>
public interface IApplicationSource
{
    /// <summary>Prepares the code. The same content gives the same package, at no cost the second time.</summary>
    /// <param name="importPath">An absolute path of a <c>.cs</c> file, a project or <c>Assembly.dll[:Type]</c>, or <c>package:HASH</c> of one uploaded.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <exception cref="DefinitionException">Everything that is wrong; compile errors with file and line.</exception>
    Task<ApplicationPackage> PrepareAsync(string importPath, CancellationToken cancellationToken);
}
