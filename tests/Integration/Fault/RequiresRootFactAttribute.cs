namespace Serve.FaultTests;

/// <summary>A test that mounts file systems, which only root may; skipped elsewhere.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RequiresRootFactAttribute : FactAttribute
{
    public RequiresRootFactAttribute()
    {
        if (!Environment.IsPrivilegedProcess)
            Skip = "mounting a small file system needs root";
    }
}
