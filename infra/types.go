package infra

// Type tokens of the components. They are part of every URN below a component, so changing one replaces everything
// in it unless an alias keeps the old name.
const (
	typeSource        = "cicd:index:Source"
	typeRegistry      = "cicd:index:Registry"
	typeArtifactStore = "cicd:index:ArtifactStore"
	typeBuild         = "cicd:index:Build"
	typeTarget        = "cicd:index:Target"
	typePipeline      = "cicd:index:Pipeline"
)
