namespace Serve.Runtime.Tasks;

/// <summary>Code that has waited and may go on.</summary>
internal interface IResumable
{
    /// <summary>Lets it go on, on a thread of its own; must not block or throw.</summary>
    void Resume();
}
