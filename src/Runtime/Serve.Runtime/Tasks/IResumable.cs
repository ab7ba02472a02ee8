namespace Serve.Runtime.Tasks;

/// <summary>Code that has waited and can be resumed.</summary>
internal interface IResumable
{
    /// <summary>Resumes the code on another thread; must not block or throw.</summary>
    void Resume();
}
